//! What machine to start: the one place that knows QEMU's command line.

use std::env;
use std::path::{Path, PathBuf};

use super::make_disk;
use crate::cli::MachineArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::house::Log;

/// Size of a disk that `--disk` makes.
pub const DISK_BYTES: u64 = 64 << 20;

/// A virtio device of the machine. Their order is that of the command line; the one that comes last gets the lowest address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Virtio {
    /// A source of entropy.
    Rng,
    /// A network card, behind which QEMU itself is the network.
    Net,
    /// The disk, if there is one.
    Disk,
}

/// A machine to be started.
#[derive(Clone, Debug)]
pub struct Options {
    /// The flat kernel.
    pub kernel: PathBuf,
    /// The boot image.
    pub image: PathBuf,
    /// Number of harts.
    pub smp: u8,
    /// Memory in MiB.
    pub memory: u32,
    /// Whether each instruction takes exactly one nanosecond of guest time.
    pub icount: bool,
    /// A disk to attach.
    pub disk: Option<PathBuf>,
    /// What is plugged in.
    pub devices: Vec<Virtio>,
    /// A TCP port of the host that leads to one of the guest, through the network card.
    pub forward: Option<(u16, u16)>,
    /// Whether to empty the disk first.
    pub fresh: bool,
    /// Whether a guest that restarts ends instead.
    pub no_reboot: bool,
    /// Where the console is kept as well.
    pub log: Option<Log>,
    /// More words for QEMU.
    pub extra: Vec<String>,
    /// The QEMU to start.
    pub qemu: String,
}

impl Options {
    /// A machine with what is in `folder` as kernel and boot image.
    pub fn new(folder: &Path, smp: u8) -> Options {
        Options {
            kernel: folder.join("neuron.bin"),
            image: folder.join("boot.img"),
            smp,
            memory: 128,
            icount: false,
            disk: None,
            devices: vec![Virtio::Rng, Virtio::Disk, Virtio::Net],
            forward: None,
            fresh: false,
            no_reboot: true,
            log: None,
            extra: Vec::new(),
            qemu: qemu(),
        }
    }

    /// The same with what the command line says.
    pub fn with_args(folder: &Path, args: &MachineArgs) -> Options {
        Options {
            memory: args.memory,
            icount: args.icount,
            disk: args.disk.clone(),
            fresh: args.fresh,
            ..Options::new(folder, args.smp)
        }
    }

    /// Checks what must be there, and makes the disk.
    pub fn prepare(&self) -> Outcome {
        for path in [&self.kernel, &self.image] {
            if !path.is_file() {
                let what = format!("there is no {}", path.display());
                return Err(Failure::new(Exit::Build, what, "build it: nx build"));
            }
        }
        if !is_program(&self.qemu) {
            let mend = crate::doctor::apt("qemu-system-misc");
            return Err(Failure::new(Exit::Missing, format!("there is no {}", self.qemu), mend));
        }
        if self.icount && self.smp != 1 {
            let what = "exact counting (--icount) needs one hart";
            return Err(Failure::new(Exit::Usage, what, "leave --smp out, or --icount"));
        }
        match &self.disk {
            Some(disk) if self.fresh || !disk.exists() => make_disk(disk, DISK_BYTES),
            _ => Ok(()),
        }
    }

    /// The command that starts it.
    pub fn command_line(&self) -> Vec<String> {
        let mut words = vec![self.qemu.clone()];
        let mut add = |list: &[&str]| words.extend(list.iter().map(ToString::to_string));
        add(&["-machine", "virt", "-cpu", "rv64", "-bios", "default"]);
        add(&["-m", &format!("{}M", self.memory), "-smp", &self.smp.to_string()]);
        add(&["-global", "virtio-mmio.force-legacy=false"]);
        add(&["-display", "none", "-monitor", "none", "-serial", "stdio", "-nodefaults"]);
        add(&["-kernel", &self.kernel.to_string_lossy(), "-initrd", &self.image.to_string_lossy()]);
        if self.icount {
            add(&["-icount", "shift=0,sleep=off"]);
        }
        if self.no_reboot {
            add(&["-no-reboot"]);
        }
        for device in &self.devices {
            match (device, &self.disk) {
                (Virtio::Rng, _) => add(&["-device", "virtio-rng-device"]),
                (Virtio::Net, _) => {
                    let forward = self.forward.map_or(String::new(), |(host, guest)| {
                        format!(",hostfwd=tcp:127.0.0.1:{host}-:{guest}")
                    });
                    add(&["-netdev", &format!("user,id=net0{forward}")]);
                    add(&["-device", "virtio-net-device,netdev=net0"]);
                }
                (Virtio::Disk, Some(disk)) => {
                    // A comma ends an option of QEMU; doubled it stands for itself.
                    let file = disk.to_string_lossy().replace(',', ",,");
                    add(&["-drive", &format!("file={file},if=none,format=raw,id=disk0")]);
                    add(&["-device", "virtio-blk-device,drive=disk0"]);
                }
                (Virtio::Disk, None) => {}
            }
        }
        words.extend(self.extra.iter().cloned());
        words
    }
}

/// The QEMU to use.
pub fn qemu() -> String {
    env::var("NX_QEMU").unwrap_or_else(|_| String::from("qemu-system-riscv64"))
}

/// Whether `name` is a program: a path to one, or one in the search path.
pub fn is_program(name: &str) -> bool {
    if name.contains('/') {
        return Path::new(name).is_file();
    }
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_attached_whatever_its_name() {
        let mut options = Options::new(Path::new("out"), 4);
        options.disk = Some(PathBuf::from("a,b.img"));
        let line = options.command_line().join(" ");
        assert!(line.contains("-smp 4"));
        assert!(line.contains("file=a,,b.img,if=none"));
    }

    #[test]
    fn devices_are_plugged_in_as_they_are_listed() {
        let mut options = Options::new(Path::new("out"), 1);
        let devices = |options: &Options| -> Vec<String> {
            let line = options.command_line();
            let pairs = line.iter().zip(&line[1..]).filter(|(word, _)| *word == "-device");
            pairs.map(|(_, device)| device.split(',').next().unwrap_or_default().to_string()).collect()
        };
        assert_eq!(devices(&options), ["virtio-rng-device", "virtio-net-device"]);
        options.devices = vec![Virtio::Net, Virtio::Disk, Virtio::Rng, Virtio::Rng];
        options.disk = Some(PathBuf::from("a.img"));
        let expected = ["virtio-net-device", "virtio-blk-device", "virtio-rng-device", "virtio-rng-device"];
        assert_eq!(devices(&options), expected);
    }
}
