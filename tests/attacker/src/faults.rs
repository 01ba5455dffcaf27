//! Attacks that the processor catches. Each says before how it will end: with which cause, where, and at which address.

use crate::lab::Lab;
use alloc::vec::Vec;
#[cfg(target_arch = "riscv64")]
use core::arch::global_asm;
use nexus_abi::{Rights, Sysno};

#[cfg(target_arch = "riscv64")]
global_asm!(include_str!("faults.S"));

/// Exception codes of the RISC-V Privileged Architecture.
const ILLEGAL: u64 = 2;
const BREAKPOINT: u64 = 3;
const LOAD_MISALIGNED: u64 = 4;
const STORE_MISALIGNED: u64 = 6;
const FETCH: u64 = 12;
const LOAD: u64 = 13;
const STORE: u64 = 15;

/// A routine of `faults.S`: takes an address, and is not expected to come back.
type Routine = unsafe extern "C" fn(u64);

macro_rules! routines {
    ($($name:ident)+) => {
        #[cfg(target_arch = "riscv64")]
        unsafe extern "C" { $(fn $name(address: u64);)+ }
        $(#[cfg(not(target_arch = "riscv64"))]
        unsafe extern "C" fn $name(_address: u64) {})+
    };
}

routines! {
    do_load do_store do_jump do_reserve do_atomic do_illegal do_ebreak do_read_sstatus do_write_stvec do_read_sscratch
    do_write_sscratch do_read_satp do_read_mstatus do_write_cycle do_sret do_mret do_wfi do_sfence do_vector do_zero
}

/// How an attack will end.
pub struct Plan {
    routine: Routine,
    argument: u64,
    /// Exception codes of which any may be the one, a bit each.
    codes: u64,
    pc: u64,
    address: u64,
    /// Bytes from `address` on of which any may be the one.
    span: u64,
    deep: Option<bool>,
}

/// Memory that can be written and not executed.
static DATA: [core::sync::atomic::AtomicU64; 2] = [const { core::sync::atomic::AtomicU64::new(0) }; 2];
/// Memory that can be read alone.
static CONSTANT: [u8; 16] = [7; 16];
/// Somewhere that nothing is mapped.
const HOLE: u64 = 0x5000_0000;
/// The first address of the kernel's half, and one that only looks like the user's.
const KERNEL: u64 = 0xffff_ffc0_0000_0000;
/// Where the first thread's stack ends, and how large it is (`lib/spawn`).
const STACK_TOP: u64 = 0x30_0000_0000;
const STACK_BYTES: u64 = 16 * 4096;
/// Where the machine has its console, were it mapped.
const DEVICE: u64 = 0x1000_0000;

impl Plan {
    fn at(routine: Routine, argument: u64, code: u64, address: u64) -> Plan {
        let codes = 1 << code;
        Plan { routine, argument, codes, pc: routine as *const () as u64, address, span: 1, deep: None }
    }

    fn touch(routine: Routine, address: u64) -> Plan {
        let code = if routine as *const () == do_load as *const () { LOAD } else { STORE };
        Plan::at(routine, address, code, address)
    }

    fn jump(to: u64) -> Plan {
        // The lowest bit of a jump's target does not count.
        Plan { pc: to & !1, ..Plan::at(do_jump, to, FETCH, to & !1) }
    }

    /// What the instruction's bits are is told by some machines, and 0 by others.
    fn instruction(routine: Routine) -> Plan {
        Plan { span: 0, ..Plan::at(routine, 0, ILLEGAL, 0) }
    }

    /// The words that the driver compares with the exit record: codes, pc (0: any), address and span (0: any).
    pub fn told(&self) -> Vec<u8> {
        [self.codes, self.pc, self.address, self.span].iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// Does it. Comes back only if the attack succeeded, and then says so by its exit.
    pub fn carry_out(self) -> ! {
        match self.deep {
            Some(true) => drop(nexus_rt::thread::spawn(5, || descend(0)).ok().and_then(|t| t.join())),
            Some(false) => drop(core::hint::black_box(descend(0))),
            // SAFETY: the routine touches nothing but the address, which is memory set aside here or none at all; that
            // it cannot be touched so is what the driver is about to see.
            None => unsafe { (self.routine)(self.argument) },
        }
        nexus_rt::sys::process_exit(crate::SURVIVED)
    }
}

/// Where code of this program is.
pub fn code() -> u64 {
    do_load as *const () as u64
}

/// Uses up any stack.
#[inline(never)]
fn descend(depth: u64) -> u64 {
    let frame = core::hint::black_box([depth; 64]);
    if depth == u64::MAX { 0 } else { descend(depth + 1) + frame[(depth % 64) as usize] }
}

/// The plan of this name.
pub fn plan(lab: &Lab, name: &str) -> Option<Plan> {
    let data = DATA.as_ptr() as u64;
    let constant = CONSTANT.as_ptr() as u64;
    let code = code();
    let on_stack = [0u32; 4];
    let guard = Plan { pc: 0, span: 4096, ..Plan::at(do_store, 0, STORE, 0) };
    Some(match name {
        "fault.load_null" => Plan::touch(do_load, 0),
        "fault.store_null" => Plan::touch(do_store, 8),
        "fault.load_hole" => Plan::touch(do_load, HOLE),
        "fault.load_device" => Plan::touch(do_load, DEVICE),
        "fault.store_device" => Plan::touch(do_store, DEVICE),
        "fault.load_kernel" => Plan::touch(do_load, KERNEL),
        "fault.store_kernel" => Plan::touch(do_store, KERNEL),
        "fault.load_kernel_end" => Plan::touch(do_load, u64::MAX - 7),
        "fault.load_past_user" => Plan::touch(do_load, 1 << 38),
        // These have the lower 39 bits of memory that is mapped.
        "fault.load_alias" => Plan::touch(do_load, 1 << 39 | data),
        "fault.store_alias" => Plan::touch(do_store, 1 << 63 | data),
        "fault.load_above_stack" => Plan::touch(do_load, STACK_TOP),
        "fault.store_code" => Plan::touch(do_store, code),
        "fault.store_constant" => Plan::touch(do_store, constant),
        "fault.atomic_constant" => Plan::touch(do_atomic, constant & !7),
        "fault.store_readonly_vmo" => Plan::touch(do_store, read_only_page(lab)?),
        "fault.jump_null" => Plan::jump(0),
        "fault.jump_data" => Plan::jump(data),
        "fault.jump_stack" => Plan::jump(on_stack.as_ptr() as u64),
        "fault.jump_constant" => Plan::jump(constant & !1),
        "fault.jump_hole" => Plan::jump(HOLE),
        "fault.jump_kernel" => Plan::jump(KERNEL),
        "fault.jump_kernel_code" => Plan::jump(0xffff_ffff_8000_0000),
        "fault.jump_alias" => Plan::jump(1 << 40 | code),
        "fault.misaligned_reserve" => Plan::at(do_reserve, data + 1, LOAD_MISALIGNED, data + 1),
        "fault.misaligned_atomic" => {
            // The specification counts an atomic among the stores, QEMU 7.2 among the loads.
            let codes = 1 << LOAD_MISALIGNED | 1 << STORE_MISALIGNED;
            Plan { codes, ..Plan::at(do_atomic, data + 1, STORE_MISALIGNED, data + 1) }
        }
        "fault.illegal" => Plan::instruction(do_illegal),
        "fault.ebreak" => {
            let pc = do_ebreak as *const () as u64;
            Plan { span: 0, ..Plan::at(do_ebreak, 0, BREAKPOINT, pc) }
        }
        "fault.read_sstatus" => Plan::instruction(do_read_sstatus),
        "fault.write_stvec" => Plan::instruction(do_write_stvec),
        "fault.read_sscratch" => Plan::instruction(do_read_sscratch),
        "fault.write_sscratch" => Plan::instruction(do_write_sscratch),
        "fault.read_satp" => Plan::instruction(do_read_satp),
        "fault.read_mstatus" => Plan::instruction(do_read_mstatus),
        "fault.write_cycle" => Plan::instruction(do_write_cycle),
        "fault.sret" => Plan::instruction(do_sret),
        "fault.mret" => Plan::instruction(do_mret),
        "fault.wfi" => Plan::instruction(do_wfi),
        "fault.sfence" => Plan::instruction(do_sfence),
        "fault.vector" => Plan::instruction(do_vector),
        "fault.cache_zero" => Plan::instruction(do_zero),
        "fault.stack_overflow" => {
            Plan { address: STACK_TOP - STACK_BYTES - 4096, deep: Some(false), ..guard }
        }
        // Where the runtime puts a thread's stack is not known here; that it is the page below it is.
        "fault.thread_stack_overflow" => Plan { span: 0, deep: Some(true), ..guard },
        _ => return None,
    })
}

/// A page that is mapped readable alone although its vmo can be written.
fn read_only_page(lab: &Lab) -> Option<u64> {
    let vmo = crate::lab::call(Sysno::vmo_create, &[lab.spare, 4096]).ok()?[0];
    let access = Rights::READ.bits().into();
    Some(crate::lab::call(Sysno::vm_map, &[lab.own, vmo, 0, 4096, 0, access]).ok()?[0])
}
