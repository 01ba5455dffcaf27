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
    bnez    t1, 3f

    andi    t1, a2, -64
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
