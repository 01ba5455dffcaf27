//! Where things are: the source tree, and what `nx` writes, which is all under `build/`.

use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::cli::Variant;
use crate::exit::{Exit, Failure, Outcome};

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
            Variant::Test | Variant::Full => Some(self.root.join("tests/system.test.toml")),
            Variant::Bench => Some(self.root.join("tests/system.bench.toml")),
        }
    }

    /// Where the outputs of a variant are.
    pub fn output(&self, variant: Variant) -> PathBuf {
        self.root.join("build").join(variant.name())
    }

    /// A folder under `build/`, made when it is missing.
    pub fn scratch(&self, name: &str) -> Outcome<PathBuf> {
        let folder = self.root.join("build").join(name);
        fs::create_dir_all(&folder).map_err(|e| Failure::host(folder.display(), &e))?;
        Ok(folder)
    }

    /// `path` as seen from the root, for messages.
    pub fn show(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}
