//! A scratch folder with a boot image that declares three processes, and a QEMU that is a shell script.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub mod system;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nexus_abi::bounds::{FIRST_CPU_PERMILLE, FIRST_HANDLES, FIRST_PRIORITY};
use nexus_bootimg::ImageWriter;
use nexus_registry::compile::{Source, compile};
use nexus_registry::names::CANONICAL;

/// A scratch folder that looks like a source tree to nx.
pub struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// Whose QEMU runs `script`, with `$PIDS` the file that it can leave process ids in.
    pub fn new(script: &str) -> Scratch {
        // Paths have spaces somewhere in the world.
        let folder = tempfile::Builder::new().prefix("a scratch ").tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("system.toml"), "").unwrap();
        fs::create_dir(at("abi")).unwrap();
        fs::create_dir(at("image")).unwrap();
        fs::write(at("image/neuron.bin"), [0; 16]).unwrap();
        fs::write(at("image/boot.img"), boot_image()).unwrap();
        let text = format!("#!/bin/sh\nPIDS='{}'\n{script}\n", at("pids").display());
        program_file(&at("qemu"), &text);
        Scratch { folder }
    }

    /// The same with a source tree that builds: a registry, and a cargo that answers with programs that are there. It
    /// writes its process id to `builds`, and does not go on while there is a file `hold`.
    pub fn with_tree(script: &str) -> Scratch {
        let scratch = Scratch::new(script);
        let at = |name: &str| scratch.path(name);
        fs::write(at("system.toml"), registry_text()).unwrap();
        fs::create_dir(at("tests")).unwrap();
        fs::write(at("tests/system.test.toml"), "").unwrap();
        fs::write(at("tests/system.bench.toml"), "").unwrap();
        fs::write(at("program"), program()).unwrap();
        fs::create_dir_all(at("docs/images")).unwrap();
        fs::write(at("docs/figures.json"), FIGURES).unwrap();
        fs::write(at("docs/performance.md"), "<!-- figures -->\n<!-- end -->\n").unwrap();
        fs::write(at("README.md"), "").unwrap();
        let names = ["neuron", "nexus-init", "logd", "samgrd"];
        let package = |name: &str| {
            format!("{{\"name\":\"{name}\",\"targets\":[{{\"kind\":[\"bin\"],\"name\":\"{name}\"}}]}}")
        };
        let packages = names.map(package).join(",");
        let file = at("program").display().to_string();
        let built = |name: &str| format!("{{\"executable\":\"{file}\",\"target\":{{\"name\":\"{name}\"}}}}");
        let answers = names.map(built).join("\n");
        let (hold, builds) = (at("hold").display().to_string(), at("builds").display().to_string());
        let text = format!(
            "#!/bin/sh\ncase $1 in\nmetadata) echo '{{\"packages\":[{packages}]}}';;\n\
             build) echo $$ >> '{builds}'; while [ -e '{hold}' ]; do sleep 0.02; done; echo '{answers}';;\n\
             *) echo fake;;\nesac\n"
        );
        program_file(&at("cargo"), &text);
        scratch
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `nx` with these words, not started yet.
    pub fn nx(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nx"));
        command.args(words).current_dir(self.folder.path());
        command.env("NX_ROOT", self.folder.path()).env("NX_QEMU", self.path("qemu")).env("CI", "true");
        command.env_remove("CARGO_TARGET_DIR");
        if self.path("cargo").exists() {
            command.env("CARGO", self.path("cargo"));
        }
        command
    }

    /// `nx run` of the image in the folder.
    pub fn run(&self, words: &[&str]) -> Output {
        let image = self.path("image");
        let words = [&["run", "--image", image.to_str().unwrap()], words].concat();
        self.nx(&words).output().unwrap()
    }

    /// The process ids that the script left, once it has left `count`.
    pub fn pids(&self, count: usize) -> Vec<u32> {
        await_that("the machine tells its process ids", || {
            let text = fs::read_to_string(self.path("pids")).unwrap_or_default();
            let complete = text.ends_with('\n') && text.lines().count() == count;
            complete.then(|| text.lines().map(|line| line.parse().unwrap()).collect())
        })
    }
}

/// Polls until there is an answer; far too long a time is a failure of the condition.
pub fn await_that<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = condition() {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}: never");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process is there and not merely waiting to be buried.
pub fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

pub fn await_death(pid: u32) {
    await_that("the process is gone", || (!lives(pid)).then_some(()));
}

/// A script that can be run. A process of its own writes it: what this one has open, a test that starts a program just then hands down, and nobody can run
/// a file that somebody has open to write.
pub fn program_file(path: &Path, text: &str) {
    let mut writer = Command::new("/bin/sh");
    writer.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(path).stdin(Stdio::piped());
    let mut writer = writer.spawn().unwrap();
    writer.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(writer.wait().unwrap().success());
}

/// What the tree has as committed figures.
const FIGURES: &str = r#"[{"name":"ipc.x","unit":"instructions","exact":true,"ours":[100,100,100],"most":120,"one_core":200,"what":"a test"}]"#;

fn registry_text() -> String {
    let row = |name: &str, id: u32, authority: &str, more: &str| {
        // What the kernel gives the first process is not a choice of the registry.
        let (priority, cpu, handles) = match id {
            1 => (FIRST_PRIORITY, FIRST_CPU_PERMILLE, FIRST_HANDLES),
            _ => (5, 10, 10),
        };
        format!(
            "[[process]]\nname = \"{name}\"\nid = {id}\nauthority = \"{authority}\"\npriority = {priority}\ncpu = {cpu}\npages = 10\nhandles = {handles}\n{more}\n"
        )
    };
    let built = ["nexus-init", "logd", "samgrd"];
    let reserved: Vec<String> = CANONICAL
        .iter()
        .filter(|(_, name)| !built.contains(name))
        .map(|(_, name)| format!("{name:?}"))
        .collect();
    format!(
        "[system]\nmemory_pages = 1000\nreserved = [{}]\n{}{}{}",
        reserved.join(", "),
        row("nexus-init", 1, "init", "grants = [\"root\"]\nready = false"),
        row("logd", 2, "log", ""),
        row("samgrd", 3, "services", "")
    )
}

fn boot_image() -> Vec<u8> {
    let table = compile(Source { name: "system.toml", text: &registry_text() }, &[]).unwrap();
    let mut writer = ImageWriter::new();
    writer.program("nexus-init", &program()).unwrap().registry("registry", &table).unwrap();
    writer.finish().unwrap()
}

/// The smallest program that the boot image takes.
pub fn program() -> Vec<u8> {
    let mut file = vec![0; 0x1004];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &[0x7f, b'E', b'L', b'F', 2, 1, 1]);
    put(16, &[2, 0, 243, 0, 1, 0, 0, 0]);
    put(24, &0x1_0000u64.to_le_bytes());
    put(32, &64u64.to_le_bytes());
    put(52, &[64, 0, 56, 0, 1, 0]);
    put(64, &[1, 0, 0, 0, 5, 0, 0, 0]);
    for (index, field) in [0x1000u64, 0x1_0000, 0x1_0000, 4, 4, 0x1000].into_iter().enumerate() {
        put(72 + index * 8, &field.to_le_bytes());
    }
    file
}

/// What a finished `nx` said on standard error and standard output.
pub fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub fn exit(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}
