//! neuron on riscv64.
fn main() {}
