//! Hands the linker script to the linker, for the device target alone: on the host this crate is only the part
//! that has host tests.

use std::env::var;

fn main() {
    println!("cargo:rerun-if-changed=kernel.ld");
    if var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        let directory = var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo:rustc-link-arg-bins=-T{directory}/kernel.ld");
        // Absolute addresses only, and no relaxation against gp: gp belongs to the user.
        println!("cargo:rustc-link-arg-bins=--no-relax");
        println!("cargo:rustc-link-arg-bins=--no-eh-frame-hdr");
    }
}
