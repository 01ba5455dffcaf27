//! The six gates: which lines must be seen for each, and why one is still open. A line stands here only once a test
//! program prints it, after another process saw that what it says is true.

/// A gate.
pub struct Gate {
    /// Its number.
    pub number: u8,
    /// What it is about.
    pub name: &'static str,
    /// Lines that must be seen; `<n>` stands for a number.
    pub proofs: &'static [&'static str],
    /// Lines that must be seen of the net image, which a client on the host drives.
    pub over_network: &'static [&'static str],
    /// Lines that must be seen of a client of `/state`, whose disk goes through several machines and other hands.
    pub over_reboots: &'static [&'static str],
    /// Processes without which the gate stays open, whatever is seen.
    pub needs: &'static [&'static str],
    /// Suites of `nx test` that must pass as well.
    pub suites: &'static [&'static str],
    /// What is not there yet; empty when the proofs are all that the gate asks for.
    pub lacks: &'static str,
}

impl Gate {
    /// Every line that must be seen, wherever.
    pub fn lines(&self) -> impl Iterator<Item = &'static str> {
        self.proofs.iter().chain(self.over_network).chain(self.over_reboots).copied()
    }
}

/// All of them, in order.
pub const GATES: [Gate; 6] = [
    Gate {
        number: 1,
        name: "IPC and capability transfer",
        proofs: &[
            "SELFTEST: ipc v1 channel create ok",
            "SELFTEST: ipc v1 sendrecv ok bytes=0",
            "SELFTEST: ipc v1 sendrecv ok bytes=1",
            "SELFTEST: ipc v1 sendrecv ok bytes=48",
            "SELFTEST: ipc v1 sendrecv ok bytes=49",
            "SELFTEST: ipc v1 sendrecv ok bytes=4095",
            "SELFTEST: ipc v1 sendrecv ok bytes=4096",
            "SELFTEST: ipc v1 capxfer ok n=1",
            "SELFTEST: ipc v1 capxfer ok n=8",
            "SELFTEST: ipc v1 backpressure ok",
            "vmo: producer sent handle",
            "vmo: consumer mapped ok",
            "vmo: sha256 ok",
            "SELFTEST: vmo share ok",
        ],
        over_network: &[],
        over_reboots: &[],
        needs: &[],
        suites: &[],
        lacks: "",
    },
    Gate {
        number: 2,
        name: "Safe device access from userspace",
        proofs: &[
            "SELFTEST: mmio map ok",
            "SELFTEST: mmio policy deny ok",
            "kernel: mmio denied (outside window)",
            "kernel: mmio denied (exec attempt)",
            "rngd: mmio window mapped ok",
            "virtioblkd: mmio window mapped ok",
            "blk: virtio-blk up (ss=<n> nsec=<n>)",
            "SELFTEST: blk readback ok",
            "SELFTEST: driver restart ok",
        ],
        over_network: &["SELFTEST: net ping ok", "SELFTEST: net tcp echo ok bytes=<n>"],
        over_reboots: &[],
        needs: &["rngd", "virtioblkd", "timed", "virtionetd", "netstackd", "policyd", "uartd", "diagd"],
        suites: &["machines", "link"],
        lacks: "",
    },
    Gate {
        number: 3,
        name: "Durable /state",
        proofs: &[],
        over_network: &[],
        over_reboots: &[
            "statefsd: ready",
            "statefsd: write hardening on (auth-envelope)",
            "SELFTEST: statefs put ok",
            "SELFTEST: statefs persist ok",
            "SELFTEST: bootctl persist ok",
            "SELFTEST: device key persist ok",
            "SELFTEST: statefs unauthorized access rejected",
            "SELFTEST: statefs auth put ok",
            "SELFTEST: statefs tamper deny ok",
            "SELFTEST: statefs rollback deny ok",
            "SELFTEST: quota deny ok",
            "SELFTEST: statefs restart ok",
            "SELFTEST: statefs look ok",
            "SELFTEST: crash record ok",
        ],
        needs: &["statefsd", "keystored", "updated", "recordd"],
        suites: &["state", "powercut"],
        lacks: "",
    },
    Gate {
        number: 4,
        name: "One packaging contract",
        proofs: &[],
        over_network: &[],
        over_reboots: &[],
        needs: &[],
        suites: &[],
        lacks: "there are no bundles yet: bundlemgrd is only reserved in system.toml",
    },
    Gate {
        number: 5,
        name: "One authority per job, one name each",
        proofs: &[],
        over_network: &[],
        over_reboots: &[],
        needs: &[],
        suites: &[],
        lacks: "tests hold it at build and registration (docs/promises.md), no proof line shows it on the machine yet",
    },
    Gate {
        number: 6,
        name: "One command",
        proofs: &[],
        over_network: &[],
        over_reboots: &[],
        needs: &[],
        suites: &[],
        lacks: "nx is the only tool for what there is; bundles and updates are not there yet",
    },
];

/// Whether `line` is what `proof` says.
pub fn is_proof(line: &str, proof: &str) -> bool {
    let mut rest = line;
    for (index, part) in proof.split("<n>").enumerate() {
        if index > 0 {
            let number = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            if number == 0 {
                return false;
            }
            rest = &rest[number..];
        }
        let Some(after) = rest.strip_prefix(part) else { return false };
        rest = after;
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_a_whole_line() {
        assert!(is_proof("a ok", "a ok"));
        assert!(!is_proof("a ok?", "a ok"));
        assert!(is_proof("up (ss=512 nsec=8)", "up (ss=<n> nsec=<n>)"));
        assert!(!is_proof("up (ss= nsec=8)", "up (ss=<n> nsec=<n>)"));
        assert!(!is_proof("up (ss=x nsec=8)", "up (ss=<n> nsec=<n>)"));
    }

    #[test]
    fn a_gate_has_proofs_or_says_what_it_lacks() {
        for (index, gate) in GATES.iter().enumerate() {
            assert_eq!(gate.number as usize, index + 1);
            assert!(gate.lines().count() > 0 || !gate.lacks.is_empty(), "{}", gate.name);
        }
    }
}
