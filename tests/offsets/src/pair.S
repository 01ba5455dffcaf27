# The two programs whose deaths are tried at every instruction, and what arms the timer that kills them. The programs are copied to
# memory of their own and run wherever that is mapped; each has one page of data that its driver shares.
#
# They start with a0 = data page and a1 = bootstrap endpoint, at which one message with handles waits: the endpoint, a quota,
# and what the calls carry. Registers: s0 data page, s1 and s2 endpoints, s3 port.

    .text
    .option push
    .option norvc                       # each instruction has four bytes, so that a program counter tells which one it is
    .balign 8
    .globl  offsets_code
    .globl  offsets_code_end
    .globl  offsets_client
    .globl  offsets_client_loop
    .globl  offsets_client_last
    .globl  offsets_server
    .globl  offsets_server_loop
    .globl  offsets_server_last
    .globl  offsets_apart
    .globl  offsets_apart_loop
    .globl  offsets_apart_last
offsets_code:

    # Takes the message at the bootstrap endpoint.
    .macro  begin
    mv      s0, a0
    mv      s1, a1
    mv      a0, s1
    ld      a1, {first_room}(s0)
    addi    t1, s0, {bytes}
    addi    t2, s0, {handles}
    li      t0, {channel_recv}
    ecall
    lwu     s2, {handles}(s0)
    # A port of its own: the kernel's shortest way is not for one that came from another process.
    lwu     a0, {handles}+4(s0)
    li      t0, {port_create}
    ecall
    mv      s3, a1
    # What the calls carry lies first from now on.
    ld      t0, {handles}+8(s0)
    ld      t1, {handles}+16(s0)
    ld      t2, {handles}+24(s0)
    sd      t0, {handles}(s0)
    sd      t1, {handles}+8(s0)
    sd      t2, {handles}+16(s0)
    .endm

    # Notes whether the first handle in the buffer is open.
    .macro  note_held
    lwu     a0, {handles}(s0)
    li      a1, 0
    addi    a2, s0, {scratch}
    li      a3, 8
    li      t0, {object_info}
    ecall
    sd      a0, {held}(s0)
    .endm

    .macro  count what
    ld      t0, \what(s0)
    addi    t0, t0, 1
    sd      t0, \what(s0)
    .endm

    # Waits on the port for ever.
    .macro  sleep
    li      t0, 1
    sd      t0, {ended}(s0)
9:  mv      a0, s3
    li      a1, 0
    li      t3, -1
    li      t4, 0
    li      t0, {reply_and_wait}
    ecall
    j       9b
    .endm

    # Binds the endpoint to the port.
    .macro  listen
    mv      a0, s3
    mv      a1, s2
    li      a2, 7
    li      a3, {wanted}
    li      t0, {port_bind}
    ecall
    bnez    a0, offsets_server_failed
    li      s4, 0xffffff
    .endm

    # Calls for ever. Each request's first word is the number of calls that were answered before, the answer's is one more. After
    # so many calls as are to warm up, the next one begins when the counter of instructions has come to `target`.
offsets_client:
    begin
    ld      s4, {warm}(s0)
offsets_client_loop:
8:  rdinstret s5
    ld      a2, {done}(s0)
    sd      a2, {bytes}(s0)
    mv      a0, s2
    ld      a1, {tag}(s0)
    addi    t1, s0, {bytes}
    addi    t2, s0, {handles}
    ld      t3, {deadline}(s0)
    li      t0, {channel_call}
    ecall
    bnez    a0, offsets_client_failed
    ld      t0, {in_memory}(s0)         # all ones, and then a2 is 0, or 0
    ld      t1, {bytes}(s0)
    and     t1, t1, t0
    or      a2, a2, t1
    ld      t0, {done}(s0)
    addi    t0, t0, 1
    bne     a2, t0, offsets_client_other
    sd      t0, {done}(s0)
offsets_client_last:
    bne     t0, s4, 8b                  # a global name would make it two instructions
    rdinstret t0
    sub     t1, t0, s5
    sd      t1, {length}(s0)
    ld      t2, {target}(s0)
    rdinstret t0
    sub     t1, t2, t0
    addi    t1, t1, -7                  # the instructions from there to the one that begins, the two loops left out
    blez    t1, offsets_client_other
    andi    t3, t1, 1
    srli    t1, t1, 1
    beqz    t3, 2f
    nop
2:  addi    t1, t1, -1
    bnez    t1, 2b
    rdinstret t0
    sd      t0, {start}(s0)
    j       offsets_client_loop

offsets_client_other:
    li      a0, {not_the_answer}
offsets_client_failed:
    sd      a0, {status}(s0)
    note_held
    sleep

    # Answers every call with what it brought, the first word one more.
offsets_server:
    begin
    listen
    li      s5, 0                       # token
    li      s6, 0                       # sizes of the answer
offsets_server_loop:
    mv      a0, s3
    ld      a1, {tag}(s0)
    or      a1, a1, s6
    addi    t1, s0, {bytes}
    addi    t2, s0, {handles}
    li      t3, -1
    mv      t4, s5
    li      t0, {reply_and_wait}
    ecall
    bnez    a0, offsets_server_refused
    beqz    s5, 1f
    count   {done}
1:  bnez    t4, offsets_server_event     # signal bits: no message
    count   {received}
    mv      s5, t3
    and     s6, a1, s4
    addi    a2, a2, 1
    count   {bytes}
offsets_server_last:
    j       offsets_server_loop

offsets_server_refused:
    addi    t0, a0, -{caller_gone}
    bnez    t0, offsets_server_failed
    count   {gone}
    note_held
    li      s5, 0
    li      s6, 0
    j       offsets_server_loop

    # The same with an answer and a wait that are system calls of their own: between them the answer has left and the client
    # does not have it yet.
offsets_apart:
    begin
    listen
offsets_apart_loop:
8:  mv      a0, s3
    ld      a1, {tag}(s0)
    addi    t1, s0, {bytes}
    addi    t2, s0, {handles}
    li      t3, -1
    li      t4, 0
    li      t0, {reply_and_wait}
    ecall
    bnez    a0, offsets_server_failed
    bnez    t4, offsets_server_event     # signal bits: no message
    count   {received}
    mv      t4, t3
    and     a1, a1, s4
    addi    a2, a2, 1
    count   {bytes}
    addi    t1, s0, {bytes}
    addi    t2, s0, {handles}
    li      t0, {channel_reply}
    ecall
    bnez    a0, offsets_apart_refused
    count   {done}
offsets_apart_last:
    j       8b
offsets_apart_refused:
    addi    t0, a0, -{caller_gone}
    bnez    t0, offsets_server_failed
    count   {gone}
    note_held
    j       8b

offsets_server_event:
    sd      t4, {event}(s0)
    sleep
offsets_server_failed:
    sd      a0, {status}(s0)
    sleep
    .balign 8
offsets_code_end:

    .option pop

    # Right after a tick: notes at a0 and a1 the counter's value when the client is to begin, a2 instructions from now, and the tick
    # that is a3 ticks from now. If a4 is not 0, sets this timer to that tick, waits on port a5 and notes at a6 the
    # wait's status, the key of what came, and how many instructions the setting took. So the same number of instructions always
    # lies between the begin and the timer's interrupt, if the setting took as many.
    .globl  offsets_at_a_tick
offsets_at_a_tick:
    addi    sp, sp, -32
    sd      ra, 0(sp)
    sd      s0, 8(sp)
    sd      s1, 16(sp)
    sd      s2, 24(sp)
    mv      s0, a5
    mv      s1, a6
    rdtime  t0
1:  rdtime  t1
    beq     t0, t1, 1b
    rdinstret s2
    add     t2, s2, a2
    sd      t2, 0(a0)
    add     t1, t1, a3
    sd      t1, 0(a1)
    beqz    a4, 3f
    mv      a0, a4
    mv      a1, t1
    li      t0, {timer_set}
    ecall
    rdinstret t0
    sub     t0, t0, s2
    sd      t0, 16(s1)
    bnez    a0, 2f
    mv      a0, s0
    li      a1, 0
    li      t3, -1
    li      t4, 0
    li      t0, {reply_and_wait}
    ecall
    sd      t1, 8(s1)
2:  sd      a0, 0(s1)
3:  ld      ra, 0(sp)
    ld      s0, 8(sp)
    ld      s1, 16(sp)
    ld      s2, 24(sp)
    addi    sp, sp, 32
    ret
