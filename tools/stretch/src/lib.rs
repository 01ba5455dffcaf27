//! A QEMU plugin: it counts, on the machine as it is, the longest stretch of instructions that the kernel runs with interrupts off, and
//! writes what it found into the file that its argument `out=` names, when the machine ends.
//!
//! QEMU calls it from its own threads, so what it keeps is behind a lock. The guest is not changed and does not notice. What must never
//! happen: a stretch left out, or told shorter than it was.

mod hart;

use hart::{Block, Hart, looks, returns};
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::fmt::Write;
use std::sync::{Mutex, OnceLock};

/// Which version of QEMU's plugin interface this is written for.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "QEMU looks for this name")]
pub static qemu_plugin_version: c_int = 1;

unsafe extern "C" {
    fn qemu_plugin_register_vcpu_tb_trans_cb(id: u64, call: extern "C" fn(u64, *mut c_void));
    fn qemu_plugin_register_vcpu_tb_exec_cb(
        block: *mut c_void,
        call: extern "C" fn(c_uint, *mut c_void),
        flags: c_int,
        data: *mut c_void,
    );
    fn qemu_plugin_register_atexit_cb(id: u64, call: extern "C" fn(u64, *mut c_void), data: *mut c_void);
    fn qemu_plugin_tb_n_insns(block: *const c_void) -> usize;
    fn qemu_plugin_tb_vaddr(block: *const c_void) -> u64;
    fn qemu_plugin_tb_get_insn(block: *const c_void, index: usize) -> *mut c_void;
    fn qemu_plugin_insn_data(instruction: *const c_void) -> *const c_void;
    fn qemu_plugin_insn_size(instruction: *const c_void) -> usize;
}

static HARTS: Mutex<Vec<Hart>> = Mutex::new(Vec::new());
static OUT: OnceLock<String> = OnceLock::new();

/// QEMU calls this when it has loaded the plugin.
///
/// # Safety
/// `words` must point to `count` C strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qemu_plugin_install(
    id: u64,
    _machine: *const c_void,
    count: c_int,
    words: *const *const c_char,
) -> c_int {
    for n in 0..count as usize {
        // SAFETY: the caller's promise.
        let word = unsafe { CStr::from_ptr(*words.add(n)) };
        if let Some(path) = word.to_str().ok().and_then(|word| word.strip_prefix("out=")) {
            let _ = OUT.set(path.to_string());
        }
    }
    if OUT.get().is_none() {
        return -1;
    }
    // SAFETY: the functions called back live as long as the plugin, which QEMU never unloads.
    unsafe {
        qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
        qemu_plugin_register_atexit_cb(id, over, std::ptr::null_mut());
    }
    0
}

extern "C" fn translated(_id: u64, block: *mut c_void) {
    // SAFETY: QEMU lends the block and its instructions for the time of this call; the data of one is as long as its size says.
    let block = unsafe {
        let count = qemu_plugin_tb_n_insns(block);
        let size = |n| qemu_plugin_insn_size(qemu_plugin_tb_get_insn(block, n));
        let is = |n, what: fn(u32) -> bool| {
            let data = qemu_plugin_insn_data(qemu_plugin_tb_get_insn(block, n)).cast::<u32>();
            size(n) == 4 && what(data.read_unaligned())
        };
        let found = (0..count).find(|n| is(*n, looks));
        let looks_after = found.map_or(0, |n| n as u64 + 1);
        let (pc, instructions) = (qemu_plugin_tb_vaddr(block), count as u64);
        // Nothing comes behind it in a block.
        let last = count.wrapping_sub(1);
        let returns_at = match count > 0 && is(last, returns) {
            true => pc + (0..last).map(size).sum::<usize>() as u64,
            false => 0,
        };
        (block, Block { pc, instructions, looks_after, returns_at })
    };
    // QEMU may execute it until the end.
    let data = Box::into_raw(Box::new(block.1)).cast();
    // SAFETY: the data is never freed, and shared for reading only.
    unsafe { qemu_plugin_register_vcpu_tb_exec_cb(block.0, executed, 0, data) };
}

extern "C" fn executed(hart: c_uint, data: *mut c_void) {
    // SAFETY: what `translated` gave.
    let block = unsafe { *data.cast::<Block>() };
    let Ok(mut harts) = HARTS.lock() else { return };
    let hart = hart as usize;
    if harts.len() <= hart {
        harts.resize_with(hart + 1, Hart::default);
    }
    harts[hart].run(block);
}

/// One line of words: `longest N stretches N`, then one for each place of long ones: `long PC N times N`.
extern "C" fn over(_id: u64, _data: *mut c_void) {
    let (Ok(harts), Some(path)) = (HARTS.lock(), OUT.get()) else { return };
    let longest = harts.iter().map(|hart| hart.longest).max().unwrap_or_default();
    let stretches: u64 = harts.iter().map(|hart| hart.stretches).sum();
    let mut text = format!("longest {longest} stretches {stretches}\n");
    for (pc, (longest, count)) in harts.iter().flat_map(|hart| &hart.long) {
        let _ = writeln!(text, "long {pc:#x} {longest} times {count}");
    }
    let _ = std::fs::write(path, text);
}
