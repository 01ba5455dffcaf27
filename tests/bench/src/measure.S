# Measured calls: an ordinary C function call around one system call, with every callee-saved register live and checked.
#
# measure_NAME(a0: eight argument registers to load, a1: where to store them afterwards) answers how many instructions ran
# between the two readings of the counter, or -1 if a register did not survive. The first reading itself is taken off.
    # Far from where any other program of the image has code: the recount tells a passage by its addresses alone.
    .text
    .balign 0x40000


    .macro  measured name, stub
    .globl  measure_\name
    .globl  measure_\name\()_start
    .globl  measure_\name\()_end
measure_\name:
    addi    sp, sp, -128
    sd      ra, 0(sp)
    sd      s0, 8(sp)
    sd      s1, 16(sp)
    sd      s2, 24(sp)
    sd      s3, 32(sp)
    sd      s4, 40(sp)
    sd      s5, 48(sp)
    sd      s6, 56(sp)
    sd      s7, 64(sp)
    sd      s8, 72(sp)
    sd      s9, 80(sp)
    sd      s10, 88(sp)
    sd      s11, 96(sp)
    sd      a1, 104(sp)
    mv      t0, a0
    ld      a0, 0(t0)
    ld      a1, 8(t0)
    ld      a2, 16(t0)
    ld      a3, 24(t0)
    ld      a4, 32(t0)
    ld      a5, 40(t0)
    ld      a6, 48(t0)
    ld      a7, 56(t0)
    li      s0, 100
    li      s1, 101
    li      s2, 102
    li      s3, 103
    li      s4, 104
    li      s5, 105
    li      s6, 106
    li      s7, 107
    li      s8, 108
    li      s9, 109
    li      s10, 110
    rdinstret s11
measure_\name\()_start:
    jal     ra, \stub
measure_\name\()_end:
    rdinstret t6
    ld      t5, 104(sp)
    sd      a0, 0(t5)
    sd      a1, 8(t5)
    sd      a2, 16(t5)
    sd      a3, 24(t5)
    sd      a4, 32(t5)
    sd      a5, 40(t5)
    sd      a6, 48(t5)
    sd      a7, 56(t5)
    sub     a0, t6, s11
    addi    a0, a0, -1
    addi    s0, s0, -100
    addi    s1, s1, -101
    addi    s2, s2, -102
    addi    s3, s3, -103
    addi    s4, s4, -104
    addi    s5, s5, -105
    addi    s6, s6, -106
    addi    s7, s7, -107
    addi    s8, s8, -108
    addi    s9, s9, -109
    addi    s10, s10, -110
    or      s0, s0, s1
    or      s0, s0, s2
    or      s0, s0, s3
    or      s0, s0, s4
    or      s0, s0, s5
    or      s0, s0, s6
    or      s0, s0, s7
    or      s0, s0, s8
    or      s0, s0, s9
    or      s0, s0, s10
    beqz    s0, 1f
    li      a0, -1
1:  ld      ra, 0(sp)
    ld      s0, 8(sp)
    ld      s1, 16(sp)
    ld      s2, 24(sp)
    ld      s3, 32(sp)
    ld      s4, 40(sp)
    ld      s5, 48(sp)
    ld      s6, 56(sp)
    ld      s7, 64(sp)
    ld      s8, 72(sp)
    ld      s9, 80(sp)
    ld      s10, 88(sp)
    ld      s11, 96(sp)
    addi    sp, sp, 128
    ret
    .endm

    # A message in registers: a0 endpoint, a1 tag, a2 to a7 words, no deadline.
call_words:
    li      t3, -1
    li      t0, {channel_call}
    ecall                               # keeps what a function keeps, and ra
    ret

    # A longer one, or one with handles: a0 endpoint, a1 tag, a2 byte buffer, a3 handle buffer.
call_all:
    mv      t1, a2
    mv      t2, a3
    li      t3, -1
    li      t0, {channel_call}
    ecall
    ret

    .macro  plain name, number
\name:
    li      t0, \number
    ecall
    ret
    .endm

    plain   null, {null}
    plain   signal, {port_signal}
    plain   map, {vm_map}

    measured 0w, call_words
    measured 4w, call_words
    measured 6w, call_words
    measured 128b, call_all
    measured 960b, call_all
    measured 1cap, call_all
    measured null, null
    measured signal, signal
    measured map_page, map

    # Between threads, by row, so that the recount can tell one row's passages from another's: the one that lets go notes the
    # counter at a0 (u64) and makes the call in a3 with a1 and a2 as its arguments, a4 times.
    .macro  between name
    .globl  let_go_\name
    .globl  let_go_\name\()_start
let_go_\name:
    addi    sp, sp, -48
    sd      ra, 40(sp)
    sd      s0, 0(sp)
    sd      s1, 8(sp)
    sd      s2, 16(sp)
    sd      s3, 24(sp)
    sd      s4, 32(sp)
    mv      s0, a0
    mv      s1, a1
    mv      s2, a2
    mv      s3, a3
    mv      s4, a4
2:  mv      a0, s1
    mv      a1, s2
    li      t3, 0
    mv      t0, s3
    rdinstret t6
    sd      t6, 0(s0)
let_go_\name\()_start:
    ecall
    addi    s4, s4, -1
    bnez    s4, 2b
    ld      s0, 0(sp)
    ld      s1, 8(sp)
    ld      s2, 16(sp)
    ld      s3, 24(sp)
    ld      s4, 32(sp)
    ld      ra, 40(sp)
    addi    sp, sp, 48
    ret

    # The one that runs next: makes the call in a3 with a1 and a2 and notes at a5 how far the counter is from what stands
    # at a0, less the two instructions that read and note it, a4 times.
    .globl  take_over_\name
    .globl  take_over_\name\()_end
take_over_\name:
    addi    sp, sp, -64
    sd      ra, 48(sp)
    sd      s0, 0(sp)
    sd      s1, 8(sp)
    sd      s2, 16(sp)
    sd      s3, 24(sp)
    sd      s4, 32(sp)
    sd      s5, 40(sp)
    mv      s0, a0
    mv      s1, a1
    mv      s2, a2
    mv      s3, a3
    mv      s4, a4
    mv      s5, a5
3:  mv      a0, s1
    mv      a1, s2
    li      t1, 0
    li      t2, 0
    li      t3, -1
    li      t4, 0
    mv      t0, s3
    ecall
take_over_\name\()_end:
    rdinstret t6
    ld      t5, 0(s0)
    sub     t6, t6, t5
    addi    t6, t6, -2
    sd      t6, 0(s5)
    addi    s5, s5, 8
    addi    s4, s4, -1
    bnez    s4, 3b
    ld      s0, 0(sp)
    ld      s1, 8(sp)
    ld      s2, 16(sp)
    ld      s3, 24(sp)
    ld      s4, 32(sp)
    ld      s5, 40(sp)
    ld      ra, 48(sp)
    addi    sp, sp, 64
    ret
    .endm

    between signal_wake
    between send_wake
    between yield

    # A process that faults: notes the counter at a0 and stores where nothing is. It runs from a copy.
    .globl  fault_code
    .globl  fault_code_at
    .globl  fault_code_end
fault_code:
    rdinstret t6
    sd      t6, 0(a0)
fault_code_at:
    sd      zero, 0(zero)
fault_code_end:

    # Its supervisor: waits at the port a1 until a3 and notes at a2 status, key, signals, and how far the counter is from what stands at a0:
    # less the two instructions that read and noted it, and with the one that faulted, which the counter leaves out.
    .globl  measure_fault
    .globl  measure_fault_told
measure_fault:
    addi    sp, sp, -16
    sd      s0, 0(sp)
    sd      s1, 8(sp)
    mv      s0, a0
    mv      s1, a2
    mv      a0, a1
    li      a1, 0
    li      t1, 0
    li      t2, 0
    mv      t3, a3
    li      t4, 0
    li      t0, {reply_and_wait}
    ecall
measure_fault_told:
    rdinstret t6
    ld      t5, 0(s0)
    sub     t6, t6, t5
    addi    t6, t6, -1
    sd      a0, 0(s1)
    sd      t1, 8(s1)
    sd      t4, 16(s1)
    sd      t6, 24(s1)
    ld      s0, 0(sp)
    ld      s1, 8(sp)
    addi    sp, sp, 16
    ret
