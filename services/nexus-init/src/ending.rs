//! How the end of a process is told.

use alloc::format;
use alloc::string::String;
use nexus_abi::{ExitCause, ExitRecord, exception};

/// One line about an exit record.
pub fn describe(record: &ExitRecord) -> String {
    match ExitCause::from_raw(record.cause) {
        Some(ExitCause::Exited) => format!("exited with code {}", record.code),
        Some(ExitCause::Faulted) => format!(
            "faulted: {} ({}) at pc {:#x}, address {:#x}",
            exception(record.code),
            record.code,
            record.pc,
            record.address
        ),
        Some(ExitCause::Killed) => String::from("was killed"),
        Some(ExitCause::Revoked) => String::from("ended because its quota was destroyed"),
        None => format!("ended for a reason this program does not know ({})", record.cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nexus_abi::Identity;

    fn record(cause: u32, code: u64) -> ExitRecord {
        ExitRecord {
            cause,
            identity: Identity::default(),
            reserved: 0,
            code,
            pc: 0x1_2345,
            address: 0xdead,
            registers: [0; 31],
        }
    }

    #[test]
    fn the_line_says_what_a_reader_needs() {
        assert_eq!(describe(&record(1, 101)), "exited with code 101");
        assert_eq!(describe(&record(2, 15)), "faulted: store page fault (15) at pc 0x12345, address 0xdead");
        assert_eq!(describe(&record(3, 0)), "was killed");
        assert_eq!(describe(&record(9, 0)), "ended for a reason this program does not know (9)");
    }
}
