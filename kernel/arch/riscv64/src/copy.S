# Copies between kernel and user memory. A fault on a user address between user_copy_begin and user_copy_end
# continues at user_copy_fault; t5 and t6 are the trap's. SUM is set nowhere else in the kernel.

    .section .text.copy, "ax"
    .globl  user_copy

# a0 to, a1 from, a2 bytes. Answers 1, or 0 when a user address faulted.
user_copy:
    li      t0, 1 << 18                 # SUM
    csrs    sstatus, t0
user_copy_begin:
    or      t1, a0, a1
    andi    t1, t1, 7
    bnez    t1, 7f

0:  andi    t1, a2, -64
    add     t1, t1, a0
    bgeu    a0, t1, 2f
1:  ld      a3, 0(a1)
    ld      a4, 8(a1)
    ld      a5, 16(a1)
    ld      a6, 24(a1)
    ld      a7, 32(a1)
    ld      t2, 40(a1)
    ld      t3, 48(a1)
    ld      t4, 56(a1)
    sd      a3, 0(a0)
    sd      a4, 8(a0)
    sd      a5, 16(a0)
    sd      a6, 24(a0)
    sd      a7, 32(a0)
    sd      t2, 40(a0)
    sd      t3, 48(a0)
    sd      t4, 56(a0)
    addi    a1, a1, 64
    addi    a0, a0, 64
    bltu    a0, t1, 1b

2:  andi    a2, a2, 63
    andi    t1, a2, -8
    add     t1, t1, a0
    bgeu    a0, t1, 3f
4:  ld      a3, (a1)
    sd      a3, (a0)
    addi    a1, a1, 8
    addi    a0, a0, 8
    bltu    a0, t1, 4b
    andi    a2, a2, 7

3:  add     t1, a0, a2
    bgeu    a0, t1, 6f
5:  lb      a3, (a1)
    sb      a3, (a0)
    addi    a1, a1, 1
    addi    a0, a0, 1
    bltu    a0, t1, 5b
6:  csrc    sstatus, t0
    li      a0, 1
    ret

# Not both aligned: bytes until the destination is, then words, each made of two of the source where that is still not aligned. Each of those
# has a byte that is to be copied, so none lies on a page that need not be there.
7:  li      t1, 16
    bltu    a2, t1, 3b
8:  andi    t1, a0, 7
    beqz    t1, 9f
    lb      a3, (a1)
    sb      a3, (a0)
    addi    a1, a1, 1
    addi    a0, a0, 1
    addi    a2, a2, -1
    j       8b
9:  andi    t2, a1, 7
    beqz    t2, 0b
    slli    t3, t2, 3
    neg     t4, t3
    andi    a1, a1, -8
    andi    t1, a2, -8
    add     t1, t1, a0
    ld      a3, (a1)
1:  ld      a4, 8(a1)
    srl     a3, a3, t3
    sll     a5, a4, t4
    or      a3, a3, a5
    sd      a3, (a0)
    mv      a3, a4
    addi    a1, a1, 8
    addi    a0, a0, 8
    bltu    a0, t1, 1b
    add     a1, a1, t2
    andi    a2, a2, 7
    j       3b

# One word, with nothing destroyed but t0 and a0. a0 from; answers it in a1. In a0 stays the address, or 0 when it faulted.
    .globl  user_load
user_load:
    li      t0, 1 << 18
    csrs    sstatus, t0
    lw      a1, (a0)
    csrc    sstatus, t0
    ret

# a0 to, a1 the word. Answers likewise.
    .globl  user_store
user_store:
    li      t0, 1 << 18
    csrs    sstatus, t0
    sw      a1, (a0)
    csrc    sstatus, t0
    ret
user_copy_end:

user_copy_fault:
    csrc    sstatus, t0
    li      a0, 0
    ret
