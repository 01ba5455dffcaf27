# Every register filled with what the caller chose, then one thing that may go wrong, then every register stored.
#
# a0: 32 words in (word n for x<n>; those of x2 and x4 are not used). a1: 32 words out, also of x2 and x4; after them, in
# the floating-point routine, 33 words for f0 to f31 and fcsr. tp, which nothing here uses otherwise, points to the words
# out meanwhile: that it survives is seen by the stores that go through it.

    .section .text.registers, "ax"
    .option push
    .option norvc
    .option arch, +d
    .option norelax

    .macro enter
    addi    sp, sp, -128
    sd      ra, 0(sp)
    sd      gp, 8(sp)
    sd      tp, 16(sp)
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11
    sd      s\n, 24+8*\n(sp)
    .endr
    mv      tp, a1
    sd      sp, 2*8(tp)
    .endm

    # All but x2 and x4, a0 last because it tells where they are.
    .macro fill
    .irp    n, 1,3,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ld      x\n, 8*\n(a0)
    .endr
    ld      x10, 8*10(a0)
    .endm

    .macro store
    .irp    n, 1,3,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd      x\n, 8*\n(tp)
    .endr
    .endm

    # The words out of x2 held sp before; what is left there is the difference, 0 if it survived.
    .macro leave
    ld      t0, 2*8(tp)
    sub     t0, t0, sp
    sd      t0, 2*8(tp)
    sd      zero, 4*8(tp)
    ld      ra, 0(sp)
    ld      gp, 8(sp)
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11
    ld      s\n, 24+8*\n(sp)
    .endr
    ld      tp, 16(sp)
    addi    sp, sp, 128
    ret
    .endm

    .globl  registers_call
registers_call:
    enter
    fill
    ecall
    store
    leave

# The same without entering the kernel: until the time in word 31, which only an interrupt ends earlier.
    .globl  registers_spin
registers_spin:
    enter
    fill
1:  rdtime  x30
    bltu    x30, x31, 1b
    store
    leave

# Floating point: fills f0 to f31 and fcsr from the words at 32 to 64 in, spins until the time in word 31, and stores them.
    .globl  registers_float
registers_float:
    enter
    ld      t0, 8*64(a0)
    fscsr   t0
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fld     f\n, 256+8*\n(a0)
    .endr
    fill
1:  rdtime  x30
    bltu    x30, x31, 1b
    store
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fsd     f\n, 256+8*\n(tp)
    .endr
    frcsr   t0
    sd      t0, 8*64(tp)
    leave

# The first instructions of a thread: stores everything that it finds, floating point too, where a0 points, and says so in
# the last word. It has no stack, and ends by asking the kernel to.
    .globl  registers_born
registers_born:
    .irp    n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd      x\n, 8*\n(a0)
    .endr
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fsd     f\n, 256+8*\n(a0)
    .endr
    frcsr   t0
    sd      t0, 8*64(a0)
    li      t0, 1
    sd      t0, 8*65(a0)
    li      t0, {exit}
    li      a0, 0
    li      a1, 0
    ecall
    unimp

    .option pop
