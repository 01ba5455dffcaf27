# The way into the kernel and out of it, for every hart.
#
# Register plan
#   sscratch   this hart's Local, in user mode and in the kernel (but for the first few instructions of a trap from a thread)
#   tp         in the kernel this hart's Local, which is also the top of its kernel stack
#   sstatus    in the kernel SIE, SUM and FS are 0: an interrupt waits, a stray touch of user memory and a stray
#              floating-point instruction are kernel faults
#   t5, t6     may be destroyed by a trap from the kernel (copy.S keeps nothing in them)
#
# A thread's registers go to the Context that Hart.thread points to before the core can let go of the thread: another hart
# may run it the moment that it does. A light system call never lets go and saves nothing; if it turns out that
# somebody else is to run, the registers that the C calling convention kept are still there to be saved. A system call keeps what
# a C function keeps, and ra, so that a stub needs no stack.
#
# Floating-point registers are saved when a trap finds them dirty, and stay where they are. Context.fp_live is 0 for a
# thread that never used them; else bit 0 is set and the bits above tell the hart that saved or loaded them last, as
# in Local.fp_tag. They need no loading if that is this hart and Local.fp_owner says that nobody used them here since.

    .section .text.trap, "ax"
    .option push
    .option arch, +a, +d                 # this file alone touches floating-point registers

# What the fast paths save: what must survive, and what whoever ends the wait that may begin needs to know of it, which is the
# tag, the two buffers and the deadline.
    .macro  save_call
    csrrw   t5, sscratch, tp
    ld      t6, {local_context}(tp)
    sd      t5, 4*8(t6)                 # tp
    csrr    t5, sepc
    sd      t5, 0*8(t6)
    sd      ra, 1*8(t6)
    sd      sp, 2*8(t6)
    sd      gp, 3*8(t6)
    keep_callee_saved
    sd      a1, 11*8(t6)
    sd      t1, 6*8(t6)
    sd      t2, 7*8(t6)
    sd      t3, 28*8(t6)
    mv      sp, tp
    .endm

    # The registers that a C function keeps, to the context in t6.
    .macro  keep_callee_saved
    sd      s0, 8*8(t6)
    sd      s1, 9*8(t6)
    sd      s2, 18*8(t6)
    sd      s3, 19*8(t6)
    sd      s4, 20*8(t6)
    sd      s5, 21*8(t6)
    sd      s6, 22*8(t6)
    sd      s7, 23*8(t6)
    sd      s8, 24*8(t6)
    sd      s9, 25*8(t6)
    sd      s10, 26*8(t6)
    sd      s11, 27*8(t6)
    .endm

    .globl  trap_entry
    .balign 4
trap_entry:
    csrrw   tp, sscratch, tp
    sd      t6, {local_scratch}(tp)
    csrr    t6, scause
    addi    t6, t6, -8                  # 8: system call
    bnez    t6, other_trap
    beqz    t0, fast_call
    addi    t6, t0, -{reply_and_wait}
    beqz    t6, fast_reply
    sltiu   t6, t0, {numbers}
    beqz    t6, slow
    slli    t5, t0, 3
    lla     t6, {light_table}
    add     t6, t6, t5
    ld      t6, (t6)
    beqz    t6, slow

    # A light system call leaves the callee-saved registers where they are.
    csrrw   t5, sscratch, tp
    sd      t5, {local_user_tp}(tp)
    sd      sp, {local_user_sp}(tp)
    sd      ra, {local_user_ra}(tp)
    mv      sp, tp
    jalr    t6
    lw      t0, {local_resched}(tp)
    bnez    t0, light_resched
    csrr    t0, sepc
    addi    t0, t0, 4
    csrw    sepc, t0
    ld      ra, {local_user_ra}(tp)
    ld      sp, {local_user_sp}(tp)
    ld      tp, {local_user_tp}(tp)
    li      a2, 0
    li      a3, 0
    li      a4, 0
    li      a5, 0
    li      a6, 0
    li      a7, 0
    li      t0, 0
    li      t1, 0
    li      t2, 0
    li      t3, 0
    li      t4, 0
    li      t5, 0
    li      t6, 0
    sret

    # The call is complete, but somebody else may be next: what would have been in the registers goes to the context.
light_resched:
    ld      t6, {local_context}(tp)
    csrr    t0, sepc
    addi    t0, t0, 4
    sd      t0, 0*8(t6)
    sd      a0, 10*8(t6)
    sd      a1, 11*8(t6)
    sd      zero, 12*8(t6)
    ld      t0, {local_user_sp}(tp)
    sd      t0, 2*8(t6)
    ld      t0, {local_user_tp}(tp)
    sd      t0, 4*8(t6)
    ld      t0, {local_user_ra}(tp)
    sd      t0, 1*8(t6)
    .irp    n, 5,6,7,13,14,15,16,17,28,29,30,31
    sd      zero, \n*8(t6)
    .endr
    sd      gp, 3*8(t6)
    keep_callee_saved
    csrr    t0, sstatus
    li      t1, {fs}
    and     t0, t0, t1
    beqz    t0, 1f
    jal     t5, save_fp
1:  mv      a0, tp
    jal     ra, {on_resched}
    j       to_user

fast_reply:
    save_call
    sd      t4, 29*8(t6)                # the token
    jal     ra, {on_reply}
    li      t0, {reply_and_wait}
    j       refused

fast_call:
    save_call
    jal     ra, {on_call}
    li      t0, {channel_call}

    # Core has put the arguments that were in registers to the rest.
refused:
    ld      t6, {local_context}(tp)
    sd      t0, 5*8(t6)
    sd      zero, 30*8(t6)
    sd      zero, 31*8(t6)
    jal     t5, save_fp
    mv      a0, tp
    jal     ra, {on_syscall}
    j       to_user

# The way out of the fast path: t6 the context, a1 to a7, t1, t2, t3 as the thread will find them, but for words past the
# length in the tag, which are still the sender's.
    .globl  hand_over
hand_over:
    ld      t0, 0*8(t6)
    addi    t0, t0, 4
    csrw    sepc, t0
    li      t4, 0
    bnez    a1, scrub
no_words:
    li      a2, 0
    li      a3, 0
    li      a4, 0
    li      a5, 0
    li      a6, 0
    li      a7, 0
scrubbed:
    sc.d    zero, zero, (t6)            # another thread's load reservation ends here
    ld      ra, 1*8(t6)
    ld      sp, 2*8(t6)
    ld      gp, 3*8(t6)
    ld      tp, 4*8(t6)
    ld      s0, 8*8(t6)
    ld      s1, 9*8(t6)
    ld      s2, 18*8(t6)
    ld      s3, 19*8(t6)
    ld      s4, 20*8(t6)
    ld      s5, 21*8(t6)
    ld      s6, 22*8(t6)
    ld      s7, 23*8(t6)
    ld      s8, 24*8(t6)
    ld      s9, 25*8(t6)
    ld      s10, 26*8(t6)
    ld      s11, 27*8(t6)
    li      a0, 0
    li      t0, 0
    li      t5, 0
    li      t6, 0
    sret

# The same for a thread that is told signal bits, in t4, and nothing else.
    .globl  tell
tell:
    ld      t0, 0*8(t6)
    addi    t0, t0, 4
    csrw    sepc, t0
    li      a1, 0
    li      t1, 0
    li      t2, 0
    li      t3, 0
    j       no_words

    # At most 48 bytes. The room in a call's tag stands above its length.
scrub:
    slli    t0, a1, 51
    srli    t0, t0, 51
    beqz    t0, no_words
    li      t5, 40
    bltu    t5, t0, scrubbed
    li      a7, 0
    li      t5, 32
    bltu    t5, t0, scrubbed
    li      a6, 0
    li      t5, 24
    bltu    t5, t0, scrubbed
    li      a5, 0
    li      t5, 16
    bltu    t5, t0, scrubbed
    li      a4, 0
    li      t5, 8
    bltu    t5, t0, scrubbed
    li      a3, 0
    j       scrubbed

slow:
    ld      t6, {local_context}(tp)
    sd      ra, 1*8(t6)
    sd      zero, 30*8(t6)              # t5
    sd      zero, 31*8(t6)              # t6
    jal     t5, save_rest
    jal     t5, save_callee_saved
    jal     t5, save_fp
    mv      a0, tp
    mv      sp, tp
    jal     ra, {on_syscall}
    j       to_user

other_trap:
    csrr    t6, sstatus
    andi    t6, t6, {spp}
    bnez    t6, kernel_trap
    ld      t6, {local_context}(tp)
    sd      ra, 1*8(t6)
    sd      t5, 30*8(t6)
    ld      t5, {local_scratch}(tp)
    sd      t5, 31*8(t6)
    jal     t5, save_rest
    jal     t5, save_callee_saved
    jal     t5, save_fp
    mv      a0, tp
    csrr    a1, scause
    csrr    a2, stval
    mv      sp, tp
    jal     ra, {on_trap}
    j       to_user

# Saves all but ra, t5, t6 and the callee-saved registers to the context in t6 and enters the kernel's state. Returns to t5.
save_rest:
    sd      sp, 2*8(t6)
    sd      gp, 3*8(t6)
    sd      t0, 5*8(t6)
    csrrw   t0, sscratch, tp
    sd      t0, 4*8(t6)                 # tp
    csrr    t0, sepc
    sd      t0, 0*8(t6)
    sd      t1, 6*8(t6)
    sd      t2, 7*8(t6)
    sd      a0, 10*8(t6)
    sd      a1, 11*8(t6)
    sd      a2, 12*8(t6)
    sd      a3, 13*8(t6)
    sd      a4, 14*8(t6)
    sd      a5, 15*8(t6)
    sd      a6, 16*8(t6)
    sd      a7, 17*8(t6)
    sd      t3, 28*8(t6)
    sd      t4, 29*8(t6)
    jr      t5

# Saves s0 to s11 to the context in t6. Returns to t5.
save_callee_saved:
    keep_callee_saved
    jr      t5


# Saves the floating-point registers if they are dirty, to the context in t6. Returns to t5.
save_fp:
    csrr    t0, sstatus
    li      t1, {fs}
    and     t0, t0, t1
    bnez    t0, 6f
    jr      t5
6:
    bne     t0, t1, 1f                  # clean: the context has them already
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fsd     f\n, {context_f} + 8*\n(t6)
    .endr
    frcsr   t0
    sd      t0, {context_fcsr}(t6)
1:  csrc    sstatus, t1
    jr      t5

# The kernel has decided: Hart.context is the thread, and its address space is loaded.
    .globl  to_user
to_user:
    ld      t6, {local_context}(tp)
    sc.d    zero, zero, (tp)            # another thread's load reservation ends here
    ld      t0, {context_fp_live}(t6)
    bnez    t0, load_fp
2:  ld      t0, 0*8(t6)
    csrw    sepc, t0
    ld      ra, 1*8(t6)
    ld      sp, 2*8(t6)
    ld      gp, 3*8(t6)
    ld      tp, 4*8(t6)
    ld      t0, 5*8(t6)
    ld      t1, 6*8(t6)
    ld      t2, 7*8(t6)
    ld      s0, 8*8(t6)
    ld      s1, 9*8(t6)
    ld      a0, 10*8(t6)
    ld      a1, 11*8(t6)
    ld      a2, 12*8(t6)
    ld      a3, 13*8(t6)
    ld      a4, 14*8(t6)
    ld      a5, 15*8(t6)
    ld      a6, 16*8(t6)
    ld      a7, 17*8(t6)
    ld      s2, 18*8(t6)
    ld      s3, 19*8(t6)
    ld      s4, 20*8(t6)
    ld      s5, 21*8(t6)
    ld      s6, 22*8(t6)
    ld      s7, 23*8(t6)
    ld      s8, 24*8(t6)
    ld      s9, 25*8(t6)
    ld      s10, 26*8(t6)
    ld      s11, 27*8(t6)
    ld      t3, 28*8(t6)
    ld      t4, 29*8(t6)
    ld      t5, 30*8(t6)
    ld      t6, 31*8(t6)
    sret

# t0 the context's fp_live, t6 the context.
load_fp:
    li      t1, {fs}
    csrs    sstatus, t1
    ld      t2, {local_fp_tag}(tp)
    bne     t0, t2, 3f
    ld      t3, {local_fp_owner}(tp)
    beq     t3, t6, 4f
3:  sd      t2, {context_fp_live}(t6)
    sd      t6, {local_fp_owner}(tp)
    ld      t0, {context_fcsr}(t6)
    fscsr   t0
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fld     f\n, {context_f} + 8*\n(t6)
    .endr
4:  li      t1, {fs_initial}            # dirty without this bit is clean
    csrc    sstatus, t1
    j       2b

# tp and sscratch are both the kernel's. A fault on a user address in copy.S makes the copy fail; anything else is the end.
kernel_trap:
    csrr    t5, sepc
    lla     t6, user_copy_begin
    bltu    t5, t6, 5f
    lla     t6, user_copy_end
    bgeu    t5, t6, 5f
    csrr    t5, scause
    bltz    t5, 5f
    li      t6, 1 << 5 | 1 << 7 | 1 << 13 | 1 << 15     # access and page faults of loads and stores
    srl     t6, t6, t5
    andi    t6, t6, 1
    beqz    t6, 5f
    csrr    t5, stval
    bltz    t5, 5f                      # the kernel's side of the copy
    lla     t5, user_copy_fault
    csrw    sepc, t5
    sret
5:  csrr    a0, scause
    csrr    a1, sepc
    csrr    a2, stval
    mv      a3, sp
    li      t5, {emergency_below_local}
    sub     sp, tp, t5
    tail    {on_kernel_trap}

    .option pop
