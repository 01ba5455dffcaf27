# The first instructions of every hart: from physical to virtual addresses.
#
# Each runs with translation off, at an address known only at run time, until it switches satp. The page it
# runs on is not mapped at its physical address, so the next fetch faults, and the trap vector is the
# virtual address of what follows. No other code may run before that, and no absolute address is used.

    .section .text.boot, "ax"
    .option push
    .option arch, +m, +a
    .globl  _start

# The boot hart: a0 its id, a1 the physical address of the device tree.
#
# Another hart may arrive here too: it was seen in 3 of 300 boots of four harts under OpenSBI 1.1, after it had been asked to
# start elsewhere; why is not confirmed. It came because it was asked to start, so it goes where it was meant to go. For
# the same reason nothing but a0 is believed of a hart that starts.
_start:
    csrw    sie, zero
    lla     t0, boot_hart_taken
    li      t1, 1
    amoswap.w.aqrl t1, t1, (t0)
    bnez    t1, secondary_start
    lla     t0, bss_start
    lla     t1, bss_end
1:  sd      zero, (t0)
    addi    t0, t0, 8
    bltu    t0, t1, 1b

    # The image, page by page, all rights: paging.rs narrows them before anything is read from outside.
    lla     s0, image_start
    lla     t1, image_end
    lla     t2, {tables}                # [0] middle level, [1] and [2] last level
    li      t6, 4096
    add     t3, t2, t6
    mv      t0, s0
    mv      t4, t3
2:  srli    t5, t0, 2
    ori     t5, t5, 0xef                # valid, read, write, execute, global, accessed, dirty
    sd      t5, (t4)
    addi    t4, t4, 8
    add     t0, t0, t6
    bltu    t0, t1, 2b
    srli    t5, t3, 2
    ori     t5, t5, 1
    sd      t5, (t2)
    add     t3, t3, t6
    srli    t5, t3, 2
    ori     t5, t5, 1
    sd      t5, 8(t2)
    lla     t3, {root}
    srli    t5, t2, 2
    ori     t5, t5, 1
    li      t0, {image_slot} * 8
    add     t0, t3, t0
    sd      t5, (t0)

    # Physical memory by whole GiB, until paging.rs knows what there is.
    li      t0, {direct_slot} * 8
    add     t0, t3, t0
    li      t1, {direct_slots}
    li      t5, 0xe7                    # as above, not executable
    li      t6, 1 << 28
3:  sd      t5, (t0)
    add     t5, t5, t6
    addi    t0, t0, 8
    addi    t1, t1, -1
    bnez    t1, 3b

    mv      a2, s0
    li      s1, 0
    lla     s2, boot_high
    j       to_virtual

# Any other hart: a0 its id.
    .globl  secondary_start
secondary_start:
    csrw    sie, zero
    fence
    lla     t0, {hart_ids}
    li      s1, 0
    li      t2, {max_harts}
4:  ld      t1, (t0)
    beq     t1, a0, 5f
    addi    t0, t0, 8
    addi    s1, s1, 1
    bltu    s1, t2, 4b
    wfi                                 # a hart that nobody started
    j       secondary_start
5:  lla     s2, secondary_high

# s1 the kernel's number of this hart, s2 the physical address where to go on. Leaves a0 to a2 alone.
to_virtual:
    lla     t0, image_start
    li      t1, {image_base}
    sub     t1, t1, t0                  # from physical to virtual
    lla     tp, {stacks}
    addi    t0, s1, 1
    li      t2, {slot_bytes}
    mul     t0, t0, t2
    add     tp, tp, t0
    addi    tp, tp, -{local_bytes}      # this hart's Local, at the top of its stack
    add     tp, tp, t1
    mv      sp, tp
    add     s2, s2, t1
    csrw    stvec, s2
    lla     t0, {root}
    srli    t0, t0, 12
    li      t1, 8 << 60                 # Sv39
    or      t0, t0, t1
    sfence.vma
    csrw    satp, t0
    unimp                               # never reached: the fetch faults

    .balign 4
boot_high:
    sd      zero, {local_id}(tp)
    call    enter_kernel_mode
    tail    {boot_main}

    .balign 4
secondary_high:
    call    enter_kernel_mode
    ld      a0, {local_id}(tp)
    tail    {secondary_main}

# Traps from here on are traps from the kernel. Leaves a0 to a2 alone.
enter_kernel_mode:
    csrw    sscratch, tp
    lla     t0, trap_entry
    csrw    stvec, t0
    li      t0, {sstatus_clear}
    csrc    sstatus, t0
    li      t0, 1 << 5                  # SPIE: interrupts come on in user mode
    csrs    sstatus, t0
    li      t0, 7                       # user mode may read cycle, time and instret
    csrw    scounteren, t0
    ret

    .option pop

    # Not in .bss, which the boot hart clears after it has taken this.
    .section .data.boot, "aw"
    .balign 4
boot_hart_taken:
    .word   0
