# One instruction each that the processor must refuse in user mode, at the very address of its label.

    .section .text.faults, "ax"
    .option push
    .option norvc
    .option arch, +a

    .macro attack name, instruction:vararg
    .globl  \name
    .balign 4
\name:
    \instruction
    ret
    .endm

    attack  do_load, ld a0, (a0)
    attack  do_store, sd zero, (a0)
    attack  do_jump, jr a0
    attack  do_reserve, lr.d a0, (a0)
    attack  do_atomic, amoadd.d a0, zero, (a0)
    attack  do_illegal, .word 0
    attack  do_ebreak, ebreak
    attack  do_read_sstatus, csrr a0, sstatus
    attack  do_write_stvec, csrw stvec, a0
    attack  do_read_sscratch, csrr a0, sscratch
    attack  do_write_sscratch, csrw sscratch, a0
    attack  do_read_satp, csrr a0, satp
    attack  do_read_mstatus, csrr a0, mstatus
    attack  do_write_cycle, .word 0xc0051073        # csrw cycle, a0
    attack  do_sret, sret
    attack  do_mret, mret
    attack  do_wfi, wfi
    attack  do_sfence, sfence.vma
    attack  do_vector, .word 0x0c0072d7             # vsetvli t0, zero, e8
    attack  do_zero, .word 0x0045200f               # cbo.zero (a0)

    .option pop
