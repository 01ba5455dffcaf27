//! neuron on riscv64: everything of the kernel that has an instruction or an address in it. The portable
//! part is `neuron-core`; what this crate must never do is decide anything that core could decide.
//!
//! `unsafe` stands in `boot`, `cell`, `copy`, `cpu`, `hart`, `mmio`, `paging`, `platform`, `sbi`, `timer` and `trap`.
//! On the host only the device tree reader is compiled, for its tests.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![cfg_attr(
    not(target_os = "none"),
    allow(dead_code, reason = "the host runs the tests of the device tree reader")
)]

mod tree;

#[cfg(target_os = "none")]
mod boot;
#[cfg(target_os = "none")]
mod cell;
#[cfg(target_os = "none")]
mod console;
#[cfg(target_os = "none")]
mod copy;
#[cfg(target_os = "none")]
mod cpu;
#[cfg(target_os = "none")]
mod hart;
#[cfg(target_os = "none")]
mod mmio;
#[cfg(target_os = "none")]
mod paging;
#[cfg(target_os = "none")]
mod panic;
#[cfg(target_os = "none")]
mod platform;
#[cfg(target_os = "none")]
mod plic;
#[cfg(target_os = "none")]
mod power;
#[cfg(target_os = "none")]
mod sbi;
#[cfg(target_os = "none")]
mod timer;
#[cfg(target_os = "none")]
mod trap;

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    eprintln!("neuron runs on riscv64; `./nx build` builds it, `./nx run` boots it");
    std::process::ExitCode::FAILURE
}
