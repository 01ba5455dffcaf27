//! The command line: the only definition of it. Help, completions and man pages come from here, so an option
//! that is not here does not exist and one that is here is explained.

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

/// Builds, runs, tests, proves and measures Nexus OS.
#[derive(Parser, Debug)]
#[command(name = "nx", version, max_term_width = 100, disable_help_subcommand = true, after_help = EXAMPLES)]
#[command(help_template = "{about}\n\n{usage-heading} {usage}\n\n{all-args}{after-help}")]
pub struct Cli {
    /// Answer as JSON, with stable field names, on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  nx doctor              is everything here that is needed?
  nx run                 build, boot, watch the services come up
  nx run --headless --until ready --timeout 60
  nx test                host and device tests
  nx test ipc            those with `ipc` in their name
  nx prove --gate 1      the evidence for gate 1
  nx bench ipc --json    the ipc figures, for programs

Read on: `nx help COMMAND`, `nx help exit-codes`, `nx help topics`,
docs/nx.md, docs/architecture.md.";

/// What `nx` can do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Build kernel, programs and boot image
    #[command(after_help = "\
Examples:
  nx build               what users get, in build/production
  nx build test --json   the image of the device tests; answers where it is

In the folder are neuron.elf, neuron.bin, boot.img, and programs/ with
symbols. The same source gives the same bytes.

Exit codes: 0 built, 3 something is missing here, 4 refused or does not
compile, 9 a file cannot be written. Read on: docs/how-to-add-a-service.md.")]
    Build(BuildArgs),
    /// Build, boot in QEMU, and show the system come up
    #[command(after_help = "\
Examples:
  nx run                     ends at a prompt that takes these same commands
  nx run --smp 4 --memory 256
  nx run --headless --until ready --timeout 60
                             for scripts: 0 when every service is ready
  nx run --headless          until the machine ends by itself

Ready is when every process that system.toml says announces itself has done
so. Ctrl-C ends the machine; nothing is left behind, whatever happens to nx.

Exit codes: 0 ready (or ended well), 5 not ready in time, 6 the kernel
panicked, 7 QEMU could not start or crashed, 8 the machine ended too early,
130 interrupted. Read on: docs/architecture.md, docs/nx.md.")]
    Run(RunArgs),
    /// Run host and device tests; a line each, then `N passed, N failed`
    #[command(after_help = "\
Examples:
  nx test                everything of the quick lane
  nx test style          one suite
  nx test backpressure   tests with that in their name
  nx test --list         what there is
  nx test --full         the hundreds and thousands as well

A test that fails has a `repeat:` line that can be pasted into a shell.

Exit codes: 0 all passed, 1 one failed or none has that name.
Read on: docs/nx.md.")]
    Test(TestArgs),
    /// Prove the gates: a row each, with the evidence
    #[command(after_help = "\
Examples:
  nx prove               all six gates
  nx prove --gate 1      that one, and 0 only when it is closed
  nx prove --json        state, evidence and the command that repeats it

A gate is `closed` when each of its proofs was seen in this very run, `open`
when some do not exist yet (the row says which), `failed` when one that does
was not seen, or when a test of the same run failed.

Exit codes: 0 no gate failed (with --gate: that one is closed), 1 otherwise.
Read on: docs/nx.md.")]
    Prove(ProveArgs),
    /// Measure: guest instructions, boot, image size, idle load
    #[command(after_help = "\
Examples:
  nx bench               every figure
  nx bench ipc           those whose name begins with `ipc`
  nx bench boot          where the time goes from QEMU's start to ready
  nx bench ipc --audit   recount them from a single-step trace; both must agree
  nx bench --json        [{\"name\", \"unit\", \"min\", \"median\", \"max\", \"n\", ...}]
  nx bench --record      commit what is measured: docs/figures.json, the pages
                         and pictures made of it
  nx bench --plot        draw what is committed, without measuring

`change` is against the committed figures. `nx test bench` fails when an exact
one grew by over 2 %, or passed a limit that it kept.

Exit codes: 0 measured, 1 no such figure, or the counts disagree.
Read on: docs/performance.md.")]
    Bench(BenchArgs),
    /// List the processes of the running system
    #[command(after_help = "\
Examples:
  nx ps                  who is there, since which start, and what each holds
  nx ps --json           [{\"name\", \"id\", \"state\", \"pages\", \"cpu_ms\", ...}]

The system is one that `nx run` of this tree started, in any terminal.

Exit codes: 0 answered, 10 no system runs, or it gives no answer.
Read on: docs/nx.md.")]
    Ps(LinkArgs),
    /// Show the log of the running system
    #[command(after_help = "\
Examples:
  nx log                 what is kept, oldest first
  nx log -n 20           the last 20 records
  nx log -f              and whatever comes, until Ctrl-C
  nx log -f --json       one value a line
  nx log --boot -1       the end of the log of the boot before this one
  nx log --disk IMAGE    the end of the newest log on a disk image

Exit codes: 0 answered, 1 that log is not kept, 10 no system runs, or it gives no answer,
130 interrupted. Read on: docs/nx.md.")]
    Log(LogArgs),
    /// Show who uses the processor of the running system
    #[command(after_help = "\
Examples:
  nx top                 a look a second, until Ctrl-C
  nx top --count 1       one look
  nx top --json          {\"interval_ms\", \"processes\": [{\"name\", \"cpu_permille\", ...}]}

Exit codes: 0 answered, 10 no system runs, or it gives no answer,
130 interrupted. Read on: docs/nx.md.")]
    Top(TopArgs),
    /// Show what the processes of the running system hold, or draw who reaches whom
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "\
Examples:
  nx caps                every handle of every process, and who else has to do with it
  nx caps logd           those of one process
  nx caps graph caps.svg the live capability graph as a picture
  nx caps graph caps.svg --json
                         and as {\"nodes\", \"edges\": [{\"from\", \"to\", \"kind\", \"objects\"}]}

Exit codes: 0 answered, 1 there is no such process, 9 the picture cannot be
written, 10 no system runs, or it gives no answer. Read on: docs/nx.md."
    )]
    Caps(CapsArgs),
    /// End a process of the running system; it is started again by its rule
    #[command(after_help = "\
Examples:
  nx kill rngd           on an image that allows it: nx run --variant dev

A production image refuses: there nobody ends what the supervisor started.

Exit codes: 0 done, 1 refused, or there is no such process,
10 no system runs, or it gives no answer. Read on: docs/nx.md.")]
    Kill(KillArgs),
    /// Show how the running system is connected
    #[command(after_help = "\
Examples:
  nx net status          address, router, open sockets
  nx net status --json   {\"configured\", \"address\", \"router\", ...}

Exit codes: 0 answered, 10 no system runs, or it gives no answer.
Read on: docs/nx.md.")]
    Net(NetArgs),
    /// Show the processes that faulted, in this boot and earlier ones
    #[command(after_help = "\
Examples:
  nx crash list          those that are kept, the newest last
  nx crash show          the newest: where it stood, who called, its registers
  nx crash show 3-0      the first one of boot 3
  nx crash --disk IMAGE list
                         those on a disk image

Functions and lines come from the programs under build/, if the image that ran
is still there.

Exit codes: 0 answered, 1 there is no such crash, 10 no system runs, or it
gives no answer. Read on: docs/nx.md.")]
    Crash(CrashArgs),
    /// Look at `/state` of the running system or on a disk image, and change it
    #[command(after_help = "\
Examples:
  nx state ls                    values, their bytes, who is charged for them
  nx state get app/name/key
  nx state put app/name/key --from FILE
  nx state quota                 who stores how much, and may
  nx state fsck                  look at every page; --repair mends what can be
  nx state export FILE           all values but those under keystore
  nx state --disk IMAGE ls       the same on a disk image, and so for the others

Only put, rm, import, reset and fsck --repair change anything. A production
image refuses them; one that allows them: nx run --variant dev. No machine may
run on a disk image meanwhile.

Exit codes: 0 done, 1 refused or damaged, 2 no path, 9 a file cannot be read,
10 no system runs, or it gives no answer.
Read on: docs/state-format.md, docs/state-errors.md.")]
    State(StateArgs),
    /// Check this host and print the command that mends what is missing
    #[command(after_help = "\
Examples:
  nx doctor              a row for each thing that is needed
  nx doctor --json       [{\"name\", \"ok\", \"found\", \"mend\"}]

It changes nothing itself. Exit codes: 0 all is here, 3 something is missing;
the last line then is the command that mends it.")]
    Doctor,
    /// Print shell completions
    #[command(after_help = "\
Examples:
  source <(nx completions bash)
  nx completions fish > ~/.config/fish/completions/nx.fish")]
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// Write man pages
    #[command(
        visible_alias = "manual",
        after_help = "\
Examples:
  nx man                 writes to build/man; then: man -l build/man/nx-run.1"
    )]
    Man {
        /// The folder to write them to
        #[arg(default_value = "build/man")]
        folder: PathBuf,
    },
    /// Explain a command or a topic
    #[command(after_help = "\
Examples:
  nx help run            a command, with examples
  nx help exit-codes     what each exit code means
  nx help topics         what else there is")]
    Help {
        /// A command, or a topic: exit-codes, environment, files, json, topics
        subject: Option<String>,
    },
}

/// Which image.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variant {
    /// What users get
    Production,
    /// With the programs of tests/system.test.toml added
    Test,
    /// The same, told to do things hundreds and thousands of times
    Full,
    /// The same, with nothing done but random work of several processes that die, for long
    Storm,
    /// With the programs of tests/system.bench.toml added
    Bench,
    /// With the programs of tests/system.harts.toml added
    Harts,
    /// With the program of tests/system.devices.toml added
    Devices,
    /// With the programs of tests/system.net.toml added
    Net,
    /// What users get, with `nx kill` allowed (tests/system.dev.toml)
    Dev,
    /// With the programs of tests/system.state.toml added
    State,
    /// With a client that does a fixed row of changes (tests/system.cuts.toml)
    Cuts,
    /// With a client that takes the figures of /state (tests/system.figures.toml)
    Figures,
    /// With a critical process that keeps failing (tests/system.failing.toml)
    Failing,
}

impl Variant {
    /// Its name, which is also that of its folder under `build/`.
    pub fn name(self) -> &'static str {
        match self {
            Variant::Production => "production",
            Variant::Test => "test",
            Variant::Full => "full",
            Variant::Storm => "storm",
            Variant::Bench => "bench",
            Variant::Harts => "harts",
            Variant::Devices => "devices",
            Variant::Net => "net",
            Variant::Dev => "dev",
            Variant::State => "state",
            Variant::Cuts => "cuts",
            Variant::Figures => "figures",
            Variant::Failing => "failing",
        }
    }
}

/// `nx build`
#[derive(Args, Debug)]
pub struct BuildArgs {
    /// Which image
    #[arg(value_enum, default_value = "production")]
    pub variant: Variant,
}

/// The machine that `nx run` starts.
#[derive(Args, Clone, Debug)]
pub struct MachineArgs {
    /// Number of harts, 1 to 8
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub smp: u8,
    /// Memory in MiB
    #[arg(long, value_name = "MIB", default_value_t = 128, value_parser = clap::value_parser!(u32).range(32..=16384))]
    pub memory: u32,
    /// Count instructions exactly: one each nanosecond of guest time, one hart
    #[arg(long)]
    pub icount: bool,
    /// A disk image to attach; made when it does not exist
    #[arg(long, value_name = "FILE")]
    pub disk: Option<PathBuf>,
    /// The flash that the machine keeps its secrets in; made when it does not exist [default: FILE.vault beside the disk]
    #[arg(long, value_name = "FILE")]
    pub vault: Option<PathBuf>,
    /// Empty disk and vault first
    #[arg(long, requires = "disk")]
    pub fresh: bool,
    /// One more device, as QEMU names it (virtio-gpu-device); can be given several times
    #[arg(long, value_name = "DEVICE")]
    pub device: Vec<String>,
}

/// `nx run`
#[derive(Args, Debug)]
pub struct RunArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "its fields are documented")]
    pub machine: MachineArgs,
    /// No prompt, for scripts
    #[arg(long)]
    pub headless: bool,
    /// When to stop watching; without it a headless machine runs until it ends
    #[arg(long, value_enum, value_name = "WHAT")]
    pub until: Option<Until>,
    /// Give up after so many seconds [default: 60 with --until]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86400))]
    pub timeout: Option<u64>,
    /// Which image
    #[arg(long, value_enum, default_value = "production")]
    pub variant: Variant,
    /// Boot what is in this folder (neuron.bin, boot.img) instead of building
    #[arg(long, value_name = "FOLDER")]
    pub image: Option<PathBuf>,
    /// Draw what was shown as an SVG, to this file
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
}

/// What `nx run --headless` waits for.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// Every process that announces itself has done so
    Ready,
}

/// `nx test`
#[derive(Args, Debug)]
pub struct TestArgs {
    /// A suite, or a part of the names of tests
    pub name: Option<String>,
    /// Only list them
    #[arg(long)]
    pub list: bool,
    /// The hundreds and thousands as well
    #[arg(long)]
    pub full: bool,
}

/// `nx prove`
#[derive(Args, Debug)]
pub struct ProveArgs {
    /// Only this gate
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=6))]
    pub gate: Option<u8>,
}

/// `nx bench`
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// Only figures whose name begins so
    pub name: Option<String>,
    /// Recount the ipc figures from a single-step trace
    #[arg(long)]
    pub audit: bool,
    /// Shorter windows for host figures
    #[arg(long)]
    pub quick: bool,
    /// Write what was measured to docs/figures.json, and what is made of it
    #[arg(long, conflicts_with = "quick")]
    pub record: bool,
    /// Draw the committed figures; measure nothing
    #[arg(long, conflicts_with_all = ["name", "audit", "quick", "record"])]
    pub plot: bool,
}

/// Which system is asked.
#[derive(Args, Clone, Debug)]
pub struct LinkArgs {
    /// Which one, when several run here: the folder under build/ that its console is kept in
    #[arg(long, value_name = "NAME")]
    pub system: Option<String>,
}

/// `nx log`
#[derive(Args, Debug)]
pub struct LogArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "its fields are documented")]
    pub link: LinkArgs,
    /// Go on with whatever comes
    #[arg(short, long)]
    pub follow: bool,
    /// Begin with the last so many
    #[arg(short = 'n', long, value_name = "N")]
    pub last: Option<u32>,
    /// What was kept of a boot: 0 the newest, -1 the one before, or its number
    #[arg(long, value_name = "BOOT", allow_hyphen_values = true, conflicts_with = "follow")]
    pub boot: Option<i64>,
    /// What was kept on a disk image
    #[arg(long, value_name = "FILE", conflicts_with_all = ["follow", "system"])]
    pub disk: Option<PathBuf>,
}

/// `nx crash`
#[derive(Args, Debug)]
pub struct CrashArgs {
    /// A disk image, instead of the system that runs
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "system")]
    pub disk: Option<PathBuf>,
    /// Which system, when several run here: the folder under build/ that its console is kept in
    #[arg(long, global = true, value_name = "NAME")]
    pub system: Option<String>,
    /// What to do
    #[command(subcommand)]
    pub what: CrashWhat,
}

/// What can be asked about crashes.
#[derive(Subcommand, Debug)]
pub enum CrashWhat {
    /// List those that are kept
    List,
    /// Show one
    Show {
        /// Which, as they are listed; the newest when left out
        id: Option<String>,
    },
}

/// `nx top`
#[derive(Args, Debug)]
pub struct TopArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "its fields are documented")]
    pub link: LinkArgs,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub interval: u16,
    /// Looks [default: until Ctrl-C on a terminal, else 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub count: Option<u32>,
}

/// `nx caps`
#[derive(Args, Debug)]
pub struct CapsArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "its fields are documented")]
    pub link: LinkArgs,
    /// Only this process, by its name
    pub process: Option<String>,
    /// What else to do with it
    #[command(subcommand)]
    pub what: Option<CapsWhat>,
}

/// What can be done with the capabilities of a system.
#[derive(Subcommand, Debug)]
pub enum CapsWhat {
    /// Draw the live graph as SVG
    Graph {
        /// The file to write it to
        file: PathBuf,
        #[command(flatten)]
        #[allow(missing_docs, reason = "its fields are documented")]
        link: LinkArgs,
    },
}

/// `nx kill`
#[derive(Args, Debug)]
pub struct KillArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "its fields are documented")]
    pub link: LinkArgs,
    /// Its name, as `nx ps` shows it
    pub process: String,
}

/// `nx net`
#[derive(Args, Debug)]
pub struct NetArgs {
    /// What to do
    #[command(subcommand)]
    pub what: NetWhat,
}

/// What can be asked about the network.
#[derive(Subcommand, Debug)]
pub enum NetWhat {
    /// Address, router and open sockets
    Status(LinkArgs),
}

/// `nx state`
#[derive(Args, Debug)]
pub struct StateArgs {
    /// A disk image, instead of the system that runs
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "system")]
    pub disk: Option<PathBuf>,
    /// Which system, when several run here: the folder under build/ that its console is kept in
    #[arg(long, global = true, value_name = "NAME")]
    pub system: Option<String>,
    /// What to do
    #[command(subcommand)]
    pub command: StateCommand,
}

/// What `nx state` can do.
#[derive(Subcommand, Debug)]
pub enum StateCommand {
    /// List values
    Ls {
        /// Only those under this path
        prefix: Option<String>,
    },
    /// Print a value
    Get {
        /// Its path
        path: String,
        /// Write it to this file instead
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Give a path a value, from standard input or a file
    Put {
        /// The path
        path: String,
        /// The file
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
    /// Take the value of a path away
    Rm {
        /// The path
        path: String,
    },
    /// Say how the store is
    Stat,
    /// Say who stores how much
    Quota,
    /// Look at every page
    Fsck {
        /// Put a damaged store together again, and say what could not be saved
        #[arg(long)]
        repair: bool,
        /// Forget what repairs could not save: what is not there has never been there
        #[arg(long, conflicts_with = "repair")]
        forget: bool,
    },
    /// Write what a damaged store still has to a file, as export does, and say what it has not
    Salvage {
        /// The file
        file: PathBuf,
    },
    /// Write all values but those under keystore to a file
    Export {
        /// The file
        file: PathBuf,
    },
    /// Put the values of such a file
    Import {
        /// The file
        file: PathBuf,
    },
    /// Make an empty store, whatever was there
    Reset {
        /// Everything on it may go
        #[arg(long)]
        yes: bool,
    },
}

/// The definition as a value, for completions and man pages.
pub fn definition() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_is_sound() {
        super::definition().debug_assert();
    }
}
