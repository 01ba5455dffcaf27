    # Runs while nobody else does, so that the clock of an exact machine goes on at the pace of instructions, and says how often it
    # went round and when it was here last. a0: where: rounds (u64), the counter (u64), and a byte that ends it.
    .globl  bench_spin
bench_spin:
    li      t0, 0
1:  addi    t0, t0, 1
    sd      t0, 0(a0)
    rdinstret t1
    sd      t1, 8(a0)
    lbu     t2, 16(a0)
    beqz    t2, 1b
    ret

    # Waits at a port, and answers how many instructions it is since bench_spin was here last. a0: its place, a1: the port,
    # a2: where the call's status goes.
    .globl  bench_await
bench_await:
    addi    sp, sp, -32
    sd      ra, 0(sp)
    sd      s0, 8(sp)
    sd      s1, 16(sp)
    mv      s0, a0
    mv      s1, a2
    mv      a0, a1
    li      a1, 0
    li      t1, 0
    li      t2, 0
    li      t3, -1
    li      t4, 0
    li      t0, {reply_and_wait}
    ecall
    rdinstret t6
    sd      a0, 0(s1)
    ld      t5, 8(s0)
    sub     a0, t6, t5
    ld      ra, 0(sp)
    ld      s0, 8(sp)
    ld      s1, 16(sp)
    addi    sp, sp, 32
    ret
