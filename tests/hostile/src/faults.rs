//! Attacks that the processor catches: the process ends, and its record says exactly why and where.

use crate::watch::Watch;
use alloc::format;
use harness::{Bench, Verdict};
use nexus_abi::{ExitCause, ExitRecord};

/// The attacker's faults.
const FAULTS: &[&str] = &[
    "fault.load_null",
    "fault.store_null",
    "fault.load_hole",
    "fault.load_device",
    "fault.store_device",
    "fault.load_kernel",
    "fault.store_kernel",
    "fault.load_kernel_end",
    "fault.load_past_user",
    "fault.load_alias",
    "fault.store_alias",
    "fault.load_above_stack",
    "fault.store_code",
    "fault.store_constant",
    "fault.atomic_constant",
    "fault.store_readonly_vmo",
    "fault.jump_null",
    "fault.jump_data",
    "fault.jump_stack",
    "fault.jump_constant",
    "fault.jump_hole",
    "fault.jump_kernel",
    "fault.jump_kernel_code",
    "fault.jump_alias",
    "fault.misaligned_reserve",
    "fault.misaligned_atomic",
    "fault.illegal",
    "fault.ebreak",
    "fault.read_sstatus",
    "fault.write_stvec",
    "fault.read_sscratch",
    "fault.write_sscratch",
    "fault.read_satp",
    "fault.read_mstatus",
    "fault.write_cycle",
    "fault.sret",
    "fault.mret",
    "fault.wfi",
    "fault.sfence",
    "fault.vector",
    "fault.cache_zero",
    "fault.stack_overflow",
    "fault.thread_stack_overflow",
];

/// Each of them, repeated.
pub fn faults(bench: &Bench) -> Verdict {
    let watch = Watch::new(bench)?;
    FAULTS.iter().try_for_each(|name| watch.suicide(name, bench.rounds(), judge))
}

/// The attacker told causes (a bit each), pc (0: any), address and span (0: any address).
fn judge(told: &[u64], record: &ExitRecord) -> Verdict {
    let [codes, pc, address, span] = told else { return Err(format!("it told {told:x?}")) };
    let is_fault =
        record.cause == ExitCause::Faulted as u32 && record.code < 64 && codes >> record.code & 1 == 1;
    let is_there = *pc == 0 || record.pc == *pc;
    let is_its_address = *span == 0 || record.address.wrapping_sub(*address) < *span;
    if is_fault && is_there && is_its_address {
        return Ok(());
    }
    let ExitRecord { cause, code: was, pc: at, address: of, .. } = record;
    Err(format!("told {told:x?}; cause {cause}, code {was}, pc {at:#x}, address {of:#x}"))
}
