# What the floating-point registers held before a thread ever wrote one, and whether they keep what is put into them.

    .text
    .option push
    .option arch, +d                     # this file's own: assembly outside functions has no such registers
    # Answers all 32 registers and the control register, or-ed.
    .globl  floats_leftovers
floats_leftovers:
    frcsr   a0
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fmv.x.d t0, f\n
    or      a0, a0, t0
    .endr
    ret

    # a0 pattern: register n holds a0 + n, a1 rounds, a2 system call to make in each, a3 and a4 its first arguments, a5 turns to spin
    # in each. Answers how many registers were found with something else.
    .globl  floats_hold
floats_hold:
    addi    sp, sp, -160
    sd      ra, 0(sp)
    sd      s0, 8(sp)
    sd      s1, 16(sp)
    sd      s2, 24(sp)
    sd      s3, 32(sp)
    sd      s4, 40(sp)
    sd      s5, 48(sp)
    sd      s6, 56(sp)
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11
    fsd     fs\n, 64 + 8*\n(sp)
    .endr
    mv      s0, a0
    mv      s1, a1
    mv      s2, a2
    mv      s3, a3
    mv      s4, a4
    mv      s5, a5
    li      s6, 0
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    addi    t0, s0, \n
    fmv.d.x f\n, t0
    .endr
1:  mv      a0, s3
    mv      a1, s4
    li      a2, 0
    li      t1, 0
    li      t2, 0
    li      t3, -1
    li      t4, 0
    mv      t0, s2
    ecall
    mv      t0, s5
2:  beqz    t0, 3f
    addi    t0, t0, -1
    j       2b
3:
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fmv.x.d t0, f\n
    sub     t0, t0, s0
    addi    t0, t0, -\n
    snez    t0, t0
    add     s6, s6, t0
    .endr
    addi    s1, s1, -1
    bnez    s1, 1b
    mv      a0, s6
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11
    fld     fs\n, 64 + 8*\n(sp)
    .endr
    ld      ra, 0(sp)
    ld      s0, 8(sp)
    ld      s1, 16(sp)
    ld      s2, 24(sp)
    ld      s3, 32(sp)
    ld      s4, 40(sp)
    ld      s5, 48(sp)
    ld      s6, 56(sp)
    addi    sp, sp, 160
    ret

    .option pop
