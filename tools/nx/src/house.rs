//! Where things are: the source tree, and what `nx` writes, which is all under `build/`.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, thread};

use crate::cli::Variant;
use crate::exit::{Exit, Failure, Outcome};
use crate::interrupt;
use crate::output::Output;

/// Most commands of one kind that keep a console at the same time.
const MAX_LOGS: usize = 16;

/// How often a lock that another holds is tried.
const GLANCE: Duration = Duration::from_millis(100);

/// The source tree that `nx` works on.
#[derive(Clone, Debug)]
pub struct House {
    root: PathBuf,
}

impl House {
    /// Finds the tree: named by `NX_ROOT` (the launcher does), or around the current folder.
    pub fn find() -> Outcome<House> {
        if let Some(root) = env::var_os("NX_ROOT") {
            return House::at(Path::new(&root));
        }
        let here = env::current_dir().map_err(|e| Failure::host("the current folder", &e))?;
        let is_root = |folder: &&Path| folder.join("system.toml").is_file() && folder.join("abi").is_dir();
        let root = here.ancestors().find(is_root).ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                "this is not inside a Nexus OS source tree",
                "go to the tree, or call its ./nx",
            )
        })?;
        House::at(root)
    }

    /// The tree at `root`.
    pub fn at(root: &Path) -> Outcome<House> {
        let root = fs::canonicalize(root).map_err(|e| Failure::host(root.display(), &e))?;
        Ok(House { root })
    }

    /// The root of the tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The registry.
    pub fn registry(&self) -> PathBuf {
        self.root.join("system.toml")
    }

    /// What a variant adds to the registry; `None` for the production image.
    pub fn additions(&self, variant: Variant) -> Option<PathBuf> {
        match variant {
            Variant::Production => None,
            Variant::Test | Variant::Full | Variant::Storm => Some(self.root.join("tests/system.test.toml")),
            Variant::Bench => Some(self.root.join("tests/system.bench.toml")),
            Variant::Harts => Some(self.root.join("tests/system.harts.toml")),
            Variant::Devices => Some(self.root.join("tests/system.devices.toml")),
            Variant::Net => Some(self.root.join("tests/system.net.toml")),
            Variant::Dev => Some(self.root.join("tests/system.dev.toml")),
            Variant::State => Some(self.root.join("tests/system.state.toml")),
            Variant::Cuts => Some(self.root.join("tests/system.cuts.toml")),
            Variant::Figures => Some(self.root.join("tests/system.figures.toml")),
            Variant::Failing => Some(self.root.join("tests/system.failing.toml")),
        }
    }

    /// Where the outputs of a variant are.
    pub fn output(&self, variant: Variant) -> PathBuf {
        self.root.join("build").join(variant.name())
    }

    /// Where the console of a machine is kept: `build/NAME/console.log`. While another command keeps its own there, the
    /// next one takes `build/NAME-2`, and so on.
    pub fn log(&self, name: &str) -> Outcome<Log> {
        for number in 1..=MAX_LOGS {
            let name = if number == 1 { name.to_string() } else { format!("{name}-{number}") };
            let folder = self.folder(&name)?;
            let lock = open_lock(&folder.join(".lock"))?;
            if lock.try_lock().is_ok() {
                return Ok(Log { path: folder.join("console.log"), lock: Arc::new(lock) });
            }
        }
        let what = format!("{MAX_LOGS} commands of this kind run already");
        Err(Failure::new(Exit::Host, what, "wait for one of them, or end it"))
    }

    /// A folder under `build/`, made when it is missing.
    pub fn folder(&self, name: &str) -> Outcome<PathBuf> {
        let folder = self.root.join("build").join(name);
        fs::create_dir_all(&folder).map_err(|e| Failure::host(folder.display(), &e))?;
        Ok(folder)
    }

    /// The right to build, which one command has at a time; it ends with the value. Waits, and says for whom.
    pub fn lock_build(&self, output: Output) -> Outcome<File> {
        let path = self.folder("")?.join(".lock");
        let mut lock = open_lock(&path)?;
        let mut told = false;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(Failure::host(path.display(), &error)),
                Err(TryLockError::WouldBlock) if interrupt::seen() => {
                    return Err(interrupt::failure("nothing was built"));
                }
                Err(TryLockError::WouldBlock) => {
                    if !told {
                        let mut who = String::new();
                        let _ = lock.read_to_string(&mut who);
                        output.step(
                            "wait",
                            &format!("another nx builds here (process {}); it goes first", who.trim()),
                        );
                    }
                    told = true;
                    thread::sleep(GLANCE);
                }
            }
        }
        // Only a hint for those who wait.
        let _ = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
        Ok(lock)
    }

    /// `path` as seen from the root, for messages.
    pub fn show(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

/// A console that is kept in a file of its own.
#[derive(Clone, Debug)]
pub struct Log {
    /// The file.
    pub path: PathBuf,
    lock: Arc<File>,
}

impl Log {
    /// Another file beside it, under the same lock.
    pub fn named(&self, name: &str) -> Log {
        Log { path: self.path.with_file_name(name), lock: Arc::clone(&self.lock) }
    }
}

fn open_lock(path: &Path) -> Outcome<File> {
    let file = OpenOptions::new().read(true).append(true).create(true).open(path);
    file.map_err(|e| Failure::host(path.display(), &e))
}
