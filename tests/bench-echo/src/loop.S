# The server's side of a measured round trip: answer with the sizes that came, wait for the next. It ends with the first error.
#
# a0 port, a1 room for what comes in as a tag, a2 byte buffer, a3 handle buffer, a4 what to flip in the sizes of an answer
    .text
    .globl  bench_serve_words
bench_serve_words:
    addi    sp, sp, -32
    sd      ra, 16(sp)
    sd      s0, 0(sp)
    sd      s1, 8(sp)
    mv      s0, a0
    li      s1, 0xffffff
    li      a1, 0
    li      t3, 0
1:  and     a1, a1, s1
    mv      t4, t3
    mv      a0, s0
    li      t3, -1
    li      t0, {reply_and_wait}
    ecall
    beqz    a0, 1b
    ld      s0, 0(sp)
    ld      s1, 8(sp)
    ld      ra, 16(sp)
    addi    sp, sp, 32
    ret

    .globl  bench_serve_all
bench_serve_all:
    addi    sp, sp, -64
    sd      ra, 48(sp)
    sd      s0, 0(sp)
    sd      s1, 8(sp)
    sd      s2, 16(sp)
    sd      s3, 24(sp)
    sd      s4, 32(sp)
    sd      s5, 40(sp)
    mv      s0, a0
    li      s1, 0xffffff
    mv      s2, a1
    mv      s3, a2
    mv      s4, a3
    mv      s5, a4
    mv      a1, a4
    li      t3, 0
2:  and     a1, a1, s1
    xor     a1, a1, s5
    or      a1, a1, s2
    mv      t4, t3
    mv      a0, s0
    mv      t1, s3
    mv      t2, s4
    li      t3, -1
    li      t0, {reply_and_wait}
    ecall
    beqz    a0, 2b
    ld      s0, 0(sp)
    ld      s1, 8(sp)
    ld      s2, 16(sp)
    ld      s3, 24(sp)
    ld      s4, 32(sp)
    ld      s5, 40(sp)
    ld      ra, 48(sp)
    addi    sp, sp, 64
    ret
