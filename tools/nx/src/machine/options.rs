//! What machine to start: the one place that knows QEMU's command line.

use std::env;
use std::path::{Path, PathBuf};

use super::disk;
use super::vault::{self, Vault};
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
    /// The disk.
    Disk,
    /// A console whose one port is the link.
    Link,
    /// A second disk, empty at the start and forgotten at the end.
    SecondDisk,
}

impl Virtio {
    /// The number of such a device (Virtual I/O Device 1.2, section 5).
    pub const fn id(self) -> u16 {
        match self {
            Virtio::Net => 1,
            Virtio::Disk | Virtio::SecondDisk => 2,
            Virtio::Link => 3,
            Virtio::Rng => 4,
        }
    }
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
    /// What they are.
    pub cpu: &'static str,
    /// Memory in MiB.
    pub memory: u32,
    /// Whether each instruction takes exactly one nanosecond of guest time.
    pub icount: bool,
    /// The disk; without one it is empty at the start and forgotten at the end.
    pub disk: Option<PathBuf>,
    /// What the machine keeps its secrets in.
    pub vault: Vault,
    /// Where everything that is written to the disk, and every flush, is written down (see `write_log.rs`).
    pub write_log: Option<PathBuf>,
    /// Whether the disk can only be read.
    pub read_only: bool,
    /// Where and when it answers errors, in the words of QEMU's `blkdebug`.
    pub faults: Vec<String>,
    /// A new disk, which nobody writes.
    pub empty: PathBuf,
    /// Whether that disk has a partition for tests as well.
    pub scratch: bool,
    /// What is plugged in.
    pub devices: Vec<Virtio>,
    /// A TCP port of the host that leads to one of the guest, through the network card.
    pub forward: Option<(u16, u16)>,
    /// The socket at which QEMU opens its end of the link; without it nobody is at the other end.
    pub link: Option<PathBuf>,
    /// The door that is opened to it, for terminals.
    pub door: Option<PathBuf>,
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
            cpu: "rv64",
            memory: 128,
            icount: false,
            disk: None,
            vault: Vault::Forgotten,
            write_log: None,
            read_only: false,
            faults: Vec::new(),
            empty: folder.join("empty.img"),
            scratch: false,
            devices: vec![Virtio::Rng, Virtio::Disk, Virtio::Net, Virtio::Link],
            forward: None,
            link: None,
            door: None,
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
            vault: match (&args.vault, &args.disk) {
                (Some(file), _) => Vault::File(file.clone()),
                (None, Some(disk)) => Vault::File(vault::beside(disk)),
                (None, None) => Vault::Forgotten,
            },
            fresh: args.fresh,
            extra: args.device.iter().flat_map(|device| [String::from("-device"), device.clone()]).collect(),
            ..Options::new(folder, args.smp)
        }
    }

    /// The same with a partition that tests may write, on the disk that is forgotten at the end.
    pub fn with_scratch(self) -> Options {
        Options { empty: self.empty.with_file_name("scratch.img"), scratch: true, ..self }
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
        self.prepare_vault()?;
        match &self.disk {
            Some(disk) if self.fresh || !disk.exists() => disk::make(disk, DISK_BYTES, false),
            Some(_) => Ok(()),
            // Only read: what is written to it is kept by QEMU itself.
            None if self.empty.exists() => Ok(()),
            None => disk::make(&self.empty, DISK_BYTES, self.scratch),
        }
    }

    /// Makes the vault if there is none. The one beside a disk goes with the disk: one that is made anew has a new one.
    fn prepare_vault(&self) -> Outcome {
        match (&self.vault, &self.disk) {
            (Vault::File(file), disk) => {
                let goes_along =
                    disk.as_ref().is_some_and(|disk| vault::beside(disk) == *file && !disk.exists());
                if self.fresh || goes_along || !file.exists() {
                    vault::make(file)
                } else {
                    vault::check(file)
                }
            }
            (Vault::Forgotten, _) if !self.blank().exists() => vault::make(&self.blank()),
            (Vault::Forgotten | Vault::None, _) => Ok(()),
        }
    }

    /// A new vault, which nobody writes.
    fn blank(&self) -> PathBuf {
        self.empty.with_file_name("blank.vault")
    }

    /// A drive that is empty at the start and forgotten at the end.
    fn forgotten(&self, name: &str) -> String {
        format!("file={},if=none,format=raw,snapshot=on,id={name}", quoted(&self.empty))
    }

    /// The command that starts it.
    pub fn command_line(&self) -> Vec<String> {
        let mut words = vec![self.qemu.clone()];
        let mut add = |list: &[&str]| words.extend(list.iter().map(ToString::to_string));
        add(&["-machine", "virt", "-cpu", self.cpu, "-bios", "default"]);
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
            match device {
                Virtio::Rng => add(&["-device", "virtio-rng-device"]),
                Virtio::Net => {
                    let forward = self.forward.map_or(String::new(), |(host, guest)| {
                        format!(",hostfwd=tcp:127.0.0.1:{host}-:{guest}")
                    });
                    add(&["-netdev", &format!("user,id=net0{forward}")]);
                    add(&["-device", "virtio-net-device,netdev=net0"]);
                }
                Virtio::Disk => {
                    let drive = match (&self.disk, &self.write_log) {
                        (Some(disk), None) if !self.faults.is_empty() => {
                            let faults = self.faults.iter().map(|fault| format!("file.{fault},"));
                            format!(
                                "driver=raw,file.driver=blkdebug,file.image.driver=file,file.image.filename={},\
                                 {}if=none,id=disk0",
                                quoted(disk),
                                faults.collect::<String>()
                            )
                        }
                        (Some(disk), None) => {
                            let read_only = if self.read_only { ",readonly=on" } else { "" };
                            format!("file={},if=none,format=raw{read_only},id=disk0", quoted(disk))
                        }
                        (Some(disk), Some(log)) => format!(
                            "driver=blklogwrites,log-sector-size=512,file.driver=raw,file.file.driver=file,\
                             file.file.filename={},log.driver=raw,log.file.driver=file,log.file.filename={},\
                             if=none,id=disk0",
                            quoted(disk),
                            quoted(log)
                        ),
                        (None, _) => self.forgotten("disk0"),
                    };
                    add(&["-drive", &drive, "-device", "virtio-blk-device,drive=disk0"]);
                }
                Virtio::Link => {
                    let end = match &self.link {
                        Some(socket) => {
                            format!("socket,id=link0,path={},server=on,wait=off", quoted(socket))
                        }
                        None => String::from("null,id=link0"),
                    };
                    add(&["-chardev", &end, "-device", "virtio-serial-device,id=serial0,max_ports=1"]);
                    add(&["-device", "virtconsole,bus=serial0.0,chardev=link0"]);
                }
                Virtio::SecondDisk => {
                    add(&["-drive", &self.forgotten("disk1"), "-device", "virtio-blk-device,drive=disk1"]);
                }
            }
        }
        let bank =
            |file: &Path, more: &str| format!("if=pflash,unit=0,format=raw,file={}{more}", quoted(file));
        match &self.vault {
            Vault::Forgotten => add(&["-drive", &bank(&self.blank(), ",snapshot=on")]),
            Vault::File(file) => add(&["-drive", &bank(file, "")]),
            Vault::None => {}
        }
        words.extend(self.extra.iter().cloned());
        words
    }
}

/// A path as QEMU takes it: a comma ends an option, doubled it stands for itself.
fn quoted(path: &Path) -> String {
    path.to_string_lossy().replace(',', ",,")
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
        options.read_only = true;
        assert!(options.command_line().join(" ").contains("format=raw,readonly=on,id=disk0"));
        options.faults = vec![String::from("inject-error.0.event=read_aio")];
        let line = options.command_line().join(" ");
        assert!(line.contains("filename=a,,b.img,file.inject-error.0.event=read_aio,if=none,id=disk0"));
    }

    #[test]
    fn devices_are_plugged_in_as_they_are_listed() {
        let mut options = Options::new(Path::new("out"), 1);
        let devices = |options: &Options| -> Vec<String> {
            let line = options.command_line();
            let pairs = line.iter().zip(&line[1..]).filter(|(word, _)| *word == "-device");
            pairs.map(|(_, device)| device.split(',').next().unwrap_or_default().to_string()).collect()
        };
        let [rng, net, disk] = ["virtio-rng-device", "virtio-net-device", "virtio-blk-device"];
        let link = "virtio-serial-device";
        assert_eq!(devices(&options), [rng, disk, net, link, "virtconsole"]);
        options.devices = vec![Virtio::Net, Virtio::Disk, Virtio::Rng, Virtio::SecondDisk, Virtio::Rng];
        assert_eq!(devices(&options), [net, disk, rng, disk, rng]);
        let line = options.command_line().join(" ");
        assert_eq!(
            line.matches("snapshot=on").count(),
            3,
            "what is written to an unnamed disk or vault is forgotten"
        );
        options.vault = Vault::File(PathBuf::from("a,b.vault"));
        let bank = "if=pflash,unit=0,format=raw,file=a,,b.vault";
        assert!(options.command_line().contains(&String::from(bank)));
        options.vault = Vault::None;
        options.disk = Some(PathBuf::from("a.img"));
        let line = options.command_line().join(" ");
        assert!(
            line.contains("file=a.img,if=none,format=raw,id=disk0") && line.contains("snapshot=on,id=disk1")
        );
    }
}
