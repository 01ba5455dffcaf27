//! The launcher, `./nx`, on a host that has only what the test gives it: what it installs, what it asks for when it may
//! not, when it builds, and that it hands over whole.

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::{exit, program_file, words};

/// A tree with the launcher, and a search path that has a few tools of the host and nothing else.
struct Host {
    folder: tempfile::TempDir,
}

/// A cargo that builds an nx which tells how it was called and ends with 8.
const CARGO: &str = "#!/bin/sh\necho cargo >> \"$CALLS\"\nmkdir -p \"$CARGO_TARGET_DIR/debug\"\n\
    printf '#!/bin/sh\\necho handed over: \"$@\"\\nexit 8\\n' > \"$CARGO_TARGET_DIR/debug/nx\"\n\
    chmod +x \"$CARGO_TARGET_DIR/debug/nx\"\n";

impl Host {
    fn new() -> Host {
        let folder = tempfile::Builder::new().prefix("a host ").tempdir().unwrap();
        let host = Host { folder };
        fs::create_dir(host.at("bin")).unwrap();
        for name in ["sh", "readlink", "dirname", "sed", "find", "touch", "mkdir", "mv", "rm", "chmod"] {
            let real = std::env::split_paths(&std::env::var_os("PATH").unwrap())
                .map(|folder| folder.join(name))
                .find(|path| path.is_file())
                .unwrap();
            symlink(real, host.at("bin").join(name)).unwrap();
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        program_file(&host.at("nx"), &fs::read_to_string(root.join("nx")).unwrap());
        fs::copy(root.join("rust-toolchain.toml"), host.at("rust-toolchain.toml")).unwrap();
        for folder in ["tools/nx", "formats", "abi"] {
            fs::create_dir_all(host.at(folder)).unwrap();
        }
        for file in ["Cargo.toml", "Cargo.lock"] {
            fs::write(host.at(file), "").unwrap();
        }
        host
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Adds a program to the search path. It can write what it did to `$CALLS`.
    fn has(self, name: &str, script: &str) -> Host {
        program_file(&self.at("bin").join(name), script);
        self
    }

    /// One who has everything for building.
    fn builder() -> Host {
        Host::new().has("cargo", CARGO).has("cc", "#!/bin/sh\n")
    }

    fn user(self, id: u32) -> Host {
        self.has("id", &format!("#!/bin/sh\necho {id}\n"))
    }

    fn nx(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(self.at("nx"));
        command.args(arguments).env_clear().env("PATH", self.at("bin")).env("HOME", self.at("home"));
        command.env("CALLS", self.at("calls")).output().unwrap()
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.at("calls")).unwrap_or_default()
    }
}

#[test]
fn it_builds_once_and_hands_over_words_and_exit_code() {
    let host = Host::builder();
    for _ in 0..2 {
        let output = host.nx(&["doctor", "--json", "a b"]);
        assert_eq!(exit(&output), 8, "{}", words(&output));
        assert!(words(&output).contains("handed over: doctor --json a b"), "{}", words(&output));
    }
    assert_eq!(host.calls(), "cargo\n", "nothing changed, so nothing is built again");
}

#[test]
fn without_rust_it_says_how_to_get_it() {
    let output = Host::new().nx(&["doctor"]);
    assert_eq!(exit(&output), 3);
    assert!(words(&output).contains("Rust is needed: curl"), "{}", words(&output));
}

#[test]
fn who_may_not_install_is_told_the_one_command() {
    let command =
        "'apt-get update && apt-get install -y --no-install-recommends  gcc libc6-dev qemu-system-misc'";
    for (sudo, how) in [(None, "su -c"), (Some("#!/bin/sh\nexit 1\n"), "sudo sh -c")] {
        let mut host =
            Host::new().has("cargo", CARGO).has("apt-get", "#!/bin/sh\necho apt >> \"$CALLS\"\n").user(1000);
        if let Some(script) = sudo {
            host = host.has("sudo", script);
        }
        let output = host.nx(&["run"]);
        let said = words(&output).replace("  gcc", " gcc");
        assert_eq!(exit(&output), 3, "{said}");
        assert!(said.contains(&format!("{how} {}", command.replace("  gcc", " gcc"))), "{said}");
        assert_eq!(host.calls(), "", "nothing was tried");
    }
}

#[test]
fn root_installs_what_the_command_needs_and_no_more() {
    // Installing makes the compiler and QEMU appear.
    let apt = "#!/bin/sh\necho \"apt-get $*\" >> \"$CALLS\"\nfor name in cc qemu-system-riscv64; do\n\
        printf '#!/bin/sh\\n' > \"$(dirname \"$0\")/$name\"; chmod +x \"$(dirname \"$0\")/$name\"; done\n";
    for (words, packages) in [
        (&["run"][..], "gcc libc6-dev qemu-system-misc"),
        (&["test"], "gcc libc6-dev qemu-system-misc"),
        (&["prove", "--gate", "1"], "gcc libc6-dev qemu-system-misc"),
        (&["test", "style"], "gcc libc6-dev"),
        (&["run", "--help"], "gcc libc6-dev"),
        (&["help", "run"], "gcc libc6-dev"),
        (&["doctor"], "gcc libc6-dev"),
    ] {
        let host = Host::new().has("cargo", CARGO).has("apt-get", apt).user(0);
        assert_eq!(exit(&host.nx(words)), 8, "{words:?}");
        let wanted = format!("apt-get install -y --no-install-recommends {packages}\ncargo\n");
        assert_eq!(host.calls().replace("  ", " "), wanted, "{words:?}");
    }
}

#[test]
fn a_package_manager_that_fails_is_asked_twice_and_then_told() {
    let host = Host::new()
        .has("cargo", CARGO)
        .has("apt-get", "#!/bin/sh\necho \"$1\" >> \"$CALLS\"\nexit 100\n")
        .user(0);
    let output = host.nx(&["run"]);
    assert_eq!(exit(&output), 3);
    assert_eq!(host.calls(), "install\nupdate\n");
    assert!(words(&output).contains("needs a network"), "{}", words(&output));
}

#[test]
fn a_missing_toolchain_is_installed_with_the_target() {
    let rustup = "#!/bin/sh\necho \"rustup $*\" >> \"$CALLS\"\n";
    let host = Host::builder().has("rustup", rustup);
    assert_eq!(exit(&host.nx(&["doctor"])), 8);
    let calls = host.calls();
    assert!(calls.starts_with("rustup toolchain install 1."), "{calls}");
    assert!(calls.contains("--target riscv64gc-unknown-none-elf\n"), "{calls}");
    let host = Host::builder().has("rustup", "#!/bin/sh\nexit 1\n");
    let output = host.nx(&["doctor"]);
    assert_eq!(exit(&output), 3);
    assert!(words(&output).contains("By hand: rustup toolchain install 1."), "{}", words(&output));
}

#[test]
fn an_nx_that_does_not_build_is_no_nx() {
    let host = Host::builder().has("cargo", "#!/bin/sh\necho 'error: no such crate' >&2\nexit 101\n");
    let output = host.nx(&["doctor"]);
    assert_eq!(exit(&output), 4);
    assert!(words(&output).contains("a network is needed once"), "{}", words(&output));
    assert!(!host.at("target/debug/.nx-stamp").exists());
}
