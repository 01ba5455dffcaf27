//! Each refusal, for its own reason and at its own line.

mod common;

use common::{Row, build, execd, file, init, logd, probe, system};
use nexus_abi::bounds::{CPU_PERMILLE_TOTAL, MAX_HANDLES, MAX_PRIORITY};
use nexus_registry::{Grants, Registry};

/// The one refusal of these files, as `line: what; mend`, must contain all of `parts`.
fn refused(base: &str, additions: &[&str], parts: &[&str]) {
    let refusals = build(base, additions).expect_err("must be refused");
    let texts: Vec<_> = refusals.iter().map(ToString::to_string).collect();
    let fits = |text: &String| parts.iter().all(|part| text.contains(part));
    assert!(texts.iter().any(fits), "none of {texts:#?} has all of {parts:?}");
}

fn refused_rows(rows: &[Row], parts: &[&str]) {
    refused(&file(rows), &[], parts);
}

/// The line in `text` that begins with `start`, the `nth` of them.
fn line(text: &str, start: &str, nth: usize) -> String {
    let mut found = text.lines().enumerate().filter(|(_, line)| line.starts_with(start));
    format!(":{}:", found.nth(nth).expect("line").0 + 1)
}

#[test]
fn the_sample_is_accepted() {
    build(&file(&[init(), logd(), execd()]), &[&probe().text()]).unwrap();
}

#[test]
fn two_of_a_name_id_or_authority() {
    let twice = Row { id: 9, more: "", ..logd() };
    let text = file(&[init(), logd(), execd(), twice]);
    refused(&text, &[], &["two processes are named `logd`", &line(&text, "name", 3), "rename"]);
    refused(&text, &[], &["claims the authority `log` of `logd`", &line(&text, "authority", 3)]);
    let same_id = Row { id: 2, ..execd() };
    refused_rows(&[init(), logd(), same_id], &["service id 2 is that of `logd` already"]);
}

#[test]
fn two_providers_of_a_service() {
    let second = Row { more: "provides = [\"spawn\"]", ..probe() };
    refused(
        &file(&[init(), execd(), logd()]),
        &[&second.text()],
        &["added.toml:9:", "service `spawn` is provided by `execd` already"],
    );
    let self_twice = Row { more: "provides = [\"spawn\", \"spawn\"]", ..execd() };
    refused_rows(&[init(), self_twice], &["service `spawn` is provided by `execd` already"]);
}

#[test]
fn edges_to_nowhere_to_oneself_or_twice() {
    let with = |more| Row { more, ..logd() };
    refused_rows(
        &[init(), execd(), with("provides = [\"log\"]\nuses = [\"tea\"]")],
        &["nobody provides the service `tea`", "correct the name"],
    );
    refused_rows(
        &[init(), execd(), with("provides = [\"log\"]\nuses = [\"log\"]")],
        &["uses its own service"],
    );
    refused_rows(
        &[init(), execd(), with("provides = [\"log\"]\nuses = [\"spawn\"]\nsends = [\"spawn\"]")],
        &["names the service `spawn` twice"],
    );
}

#[test]
fn production_never_depends_on_a_test_program() {
    let server = Row { more: "provides = [\"probing\"]", priority: 30, ..probe() };
    let client = Row { more: "provides = [\"log\"]\nuses = [\"probing\"]", ..logd() };
    refused(&file(&[init(), execd(), client]), &[&server.text()], &["depends on `probe` of a test file"]);
}

#[test]
fn aliases_are_no_names() {
    for (alias, canonical) in [
        ("powermgr", "powerd"),
        ("batterymgr", "batteryd"),
        ("ime", "imed"),
        ("compositor", "windowd"),
        ("abilitymgr", "appmgrd"),
        ("windowmanager", "windowd"),
        ("power", "powerd"),
        ("logmgrd", "logd"),
    ] {
        let row = Row { name: alias, ..probe() };
        if alias == "power" {
            // The bare word is what a service may be called: nothing pretends to be the process.
            build(&file(&[init(), execd(), logd()]), &[&row.text()]).unwrap();
            continue;
        }
        let mend = format!("the canonical name is `{canonical}`");
        refused(&file(&[init(), execd(), logd()]), &[&row.text()], &["added.toml:2:", &mend]);
    }
    let service = Row { more: "provides = [\"powermgr\"]", ..probe() };
    refused(&file(&[init(), execd(), logd()]), &[&service.text()], &["`powermgr` is no name here"]);
}

#[test]
fn names_have_an_alphabet_and_a_bound() {
    let named = |name: &'static str| Row { name, ..probe() }.text();
    let base = file(&[init(), execd(), logd()]);
    let longest = "a234567890123456789012345678901";
    assert_eq!(longest.len(), nexus_registry::MAX_NAME);
    build(&base, &[&named(longest)]).unwrap();
    for bad in ["", "Probe", "1probe", "pro be", "probe_x", "a2345678901234567890123456789012"] {
        refused(&base, &[&named(bad)], &["is not a name"]);
    }
}

#[test]
fn a_name_and_its_authority_belong_together() {
    let stranger = Row { name: "logd", authority: "tea", ..logd() };
    refused_rows(&[init(), execd(), stranger], &["there is no authority `tea`"]);
    let thief = Row { name: "statefsd", authority: "log", ..logd() };
    refused_rows(&[init(), execd(), thief], &["the authority `log` belongs to `logd`"]);
}

#[test]
fn any_number_of_drivers_have_a_device_each_and_no_listed_job() {
    const DEVICES: &str = "[[device]]\nname = \"a\"\nvirtio = 5\n[[device]]\nname = \"b\"\nvirtio = 16\n";
    let driver = |name, id, more| Row { name, id, authority: "driver", more, ..logd() };
    let with = |rows: &[Row]| file(&[&[init(), execd(), logd()], rows].concat()) + DEVICES;
    let (a, b) = (driver("balloond", 20, "device = \"a\""), driver("screend", 21, "device = \"b\""));
    build(&with(&[a.clone(), b.clone()]), &[]).unwrap();
    let idle = driver("idled", 22, "");
    refused(&with(&[a.clone(), b, idle]), &[], &["`idled` claims the authority `driver` and has no device"]);
    let listed = driver("rngd", 21, "device = \"b\"");
    refused(&with(&[a, listed]), &[], &["`rngd` has the authority `random-driver`, not `driver`"]);
    let added = Row { name: "added", id: 0x1_0009, ..driver("", 0, "device = \"b\"") };
    refused(
        &with(&[driver("balloond", 20, "device = \"a\"")]),
        &[&added.text()],
        &["its authority must be `test`"],
    );
}

#[test]
fn reserved_names_are_not_used_and_none_is_forgotten() {
    let rows = [init(), execd(), logd()];
    let text = file(&rows).replace("reserved = [", "reserved = [\"logd\", ");
    refused(&text, &[], &["`logd` is reserved", &line(&text, "name", 2), "take it out"]);
    refused(&file(&rows).replace("\"powerd\", ", ""), &[], &["`powerd` is neither a process nor reserved"]);
    refused(
        &file(&rows).replace("\"powerd\"", "\"powerd\", \"teapot\""),
        &[],
        &["`teapot` is not a canonical name"],
    );
}

#[test]
fn a_test_file_only_adds() {
    let base = file(&[init(), execd(), logd()]);
    refused(
        &base,
        &["\n[system]\nmemory_pages = 1\n"],
        &["added.toml:2:", "[system] belongs to system.toml alone"],
    );
    refused(&base, &[&Row { authority: "power", ..probe() }.text()], &["claims the authority `power`"]);
    refused(&base, &[&Row { id: 0xffff, ..probe() }.text()], &["in the range of the production image"]);
    refused(&base, &[&Row { name: "powerd", ..probe() }.text()], &["`powerd` is a canonical name"]);
    refused(
        &base,
        &[&Row { more: "grants = [\"root\"]", ..probe() }.text()],
        &["only the first process can have the grant `root`"],
    );
    refused_rows(
        &[init(), execd(), Row { id: 0x1_0000, ..logd() }],
        &["not in the range of the production image"],
    );
    refused_rows(&[init(), execd(), Row { id: 0, ..logd() }], &["not in the range of the production image"]);
}

#[test]
fn calls_never_go_in_a_ring() {
    let back = Row { more: "provides = [\"spawn\"]\nuses = [\"log\"]", ..execd() };
    let text = file(&[init(), logd(), back]);
    refused(&text, &[], &["calls go in a ring: execd -> logd -> execd", "make one of them a send"]);
    let sends = Row { more: "provides = [\"spawn\"]\nsends = [\"log\"]", ..execd() };
    build(&file(&[init(), logd(), sends]), &[]).unwrap();
}

#[test]
fn a_server_is_not_below_its_clients() {
    let equal = Row { priority: init().priority, ..execd() };
    let logd = || Row { priority: 1, ..logd() };
    build(&file(&[init(), logd(), equal]), &[]).unwrap();
    let below = Row { priority: init().priority - 1, ..execd() };
    let text = file(&[init(), logd(), below]);
    refused(
        &text,
        &[],
        &["`nexus-init` (priority 16) calls `execd` (priority 15)", &line(&text, "priority", 0)],
    );
}

#[test]
fn ranges_at_the_bound_and_one_past_it() {
    let with = |row: Row| file(&[init(), execd(), row]);
    let most = MAX_PRIORITY as u32;
    build(&file(&[init(), Row { priority: most, ..execd() }, Row { priority: most, ..logd() }]), &[])
        .unwrap();
    refused(
        &file(&[init(), Row { priority: most + 1, ..execd() }, logd()]),
        &[],
        &["priority 32 is out of range"],
    );
    refused(&with(Row { priority: 0, ..logd() }), &[], &["priority 0 is out of range"]);
    build(&with(Row { handles: MAX_HANDLES as u32, ..logd() }), &[]).unwrap();
    refused(&with(Row { handles: MAX_HANDLES as u32 + 1, ..logd() }), &[], &["handles 4097 is out of range"]);
    refused(&with(Row { handles: 0, ..logd() }), &[], &["handles 0 is out of range"]);
    refused(&with(Row { pages: 0, ..logd() }), &[], &["pages 0 is out of range"]);
    refused(&with(Row { cpu: 0, ..logd() }), &[], &["cpu 0 is out of range"]);
}

#[test]
fn shares_fit_what_exists() {
    let rest = CPU_PERMILLE_TOTAL as u32 - 200;
    build(&file(&[init(), execd(), Row { cpu: rest, ..logd() }]), &[]).unwrap();
    refused_rows(&[init(), execd(), Row { cpu: rest + 1, ..logd() }], &["need 901 cpu permille", "is 900"]);
    let rest = 1000 - 2 * 101 - 1;
    build(&file(&[init(), execd(), Row { pages: rest, ..logd() }]), &[]).unwrap();
    refused_rows(
        &[init(), execd(), Row { pages: rest + 1, ..logd() }],
        &["need 1001 pages", "memory_pages is 1000"],
    );
}

#[test]
fn of_those_on_demand_one_must_fit_at_a_time() {
    let base = file(&[init(), execd(), logd()]);
    let demand = |name, id, cpu| Row { name, id, cpu, more: "start = \"demand\"", ..probe() }.text();
    let two = demand("one", 0x1_0001, 600) + &demand("two", 0x1_0002, 600);
    build(&base, &[&two]).unwrap();
    refused(&base, &[&demand("one", 0x1_0001, 601)], &["with `one` the processes need 901 cpu permille"]);
}

#[test]
fn the_first_process_is_what_the_kernel_needs() {
    refused_rows(
        &[Row { more: "", ..init() }, execd(), logd()],
        &["the first process needs the grant `root`"],
    );
    let more = "grants = [\"root\"]\nstart = \"demand\"";
    refused_rows(&[Row { more, ..init() }, execd(), logd()], &["the first process is started at boot"]);
    let more = "grants = [\"root\"]\nrestart = \"always\"";
    refused_rows(&[Row { more, ..init() }, execd(), logd()], &["the first process cannot be restarted"]);
    for beside in [1, u32::MAX] {
        let by = |value: u32| value.wrapping_add(beside);
        let first = init();
        refused_rows(
            &[Row { cpu: by(first.cpu), ..init() }, execd(), logd()],
            &["first process cpu 100, not"],
        );
        let handles = Row { handles: by(first.handles), ..init() };
        refused_rows(&[handles, execd(), logd()], &["first process handles 1024, not"]);
        let priority = Row { priority: by(first.priority), ..init() };
        refused_rows(&[priority, execd(), logd()], &["first process priority 16, not"]);
    }
}

#[test]
fn what_is_not_a_field_is_refused_with_its_line() {
    let text = file(&[init(), execd(), Row { more: "tea = 1", ..logd() }]);
    refused(&text, &[], &[&line(&text, "tea", 0), "unknown field `tea`"]);
    refused("[system\n", &[], &["system.toml:1:"]);
    refused("\n", &[], &["there is no [system] table"]);
    refused(&system(1, &[]), &[], &["there is no [[process]]"]);
    refused_rows(
        &[init(), execd(), Row { more: "grants = [\"tea\"]", ..logd() }],
        &["there is no grant `tea`", "console"],
    );
    refused_rows(
        &[init(), execd(), Row { more: "grants = [\"minter\"]", ..logd() }],
        &["only a test file can give the grant `minter`"],
    );
    refused_rows(
        &[init(), execd(), Row { more: "grants = [\"supervise-kill\"]", ..logd() }],
        &["only a test file can give the grant `supervise-kill`"],
    );
    let minting = Row { more: "grants = [\"minter\", \"supervise-kill\"]", ..probe() };
    build(&file(&[init(), logd(), execd()]), &[&minting.text()]).unwrap();
    refused_rows(
        &[init(), execd(), Row { more: "restart = \"sometimes\"", ..logd() }],
        &["unknown variant `sometimes`"],
    );
}

#[test]
fn a_test_file_can_allow_more_and_the_base_cannot() {
    let base = file(&[init(), execd(), logd()]);
    let allow = |name: &str, grant: &str| format!("[[allow]]\nname = \"{name}\"\ngrants = [\"{grant}\"]\n");
    let table = build(&base, &[&allow("logd", "supervise-kill")]).unwrap();
    let registry = Registry::parse(&table).unwrap();
    let holders = registry.processes().filter(|process| process.grants.contains(Grants::SUPERVISE_KILL));
    assert_eq!(holders.map(|process| process.name).collect::<Vec<_>>(), ["logd"]);
    refused(&base, &[&allow("tea", "console")], &["there is no process `tea`"]);
    refused(&base, &[&allow("logd", "tea")], &["there is no grant `tea`"]);
    refused(&base, &[&allow("logd", "root")], &["only the first process can have the grant `root`"]);
    refused(&(base.clone() + &allow("logd", "console")), &[], &["[[allow]] belongs to a test file"]);
    refused(&base, &["[[allow]]\nname = \"logd\"\nstate = [\"a\"]\n"], &["`a` is no rule of /state"]);
}

#[test]
fn arguments_have_a_bound() {
    let with = |length: usize| {
        let row = Row { more: "provides = [\"log\"]\nargs = \"ARGS\"", ..logd() };
        file(&[init(), execd(), row]).replace("ARGS", &"x".repeat(length))
    };
    build(&with(nexus_registry::MAX_ARGS), &[]).unwrap();
    refused(&with(nexus_registry::MAX_ARGS + 1), &[], &["args has 256 bytes", "255 is the most"]);
}

#[test]
fn processes_have_a_bound() {
    let base = file(&[init(), execd(), logd()]);
    let added = |count: u32| -> String {
        let row = |n: u32| {
            format!(
                "{}\n",
                Row { id: 0x1_0000 + n, cpu: 1, pages: 1, more: "start = \"demand\"", ..probe() }
                    .text()
                    .replace("probe", &format!("p{n}"))
            )
        };
        (0..count).map(row).collect()
    };
    let most = nexus_registry::MAX_PROCESSES as u32 - 3;
    build(&base, &[&added(most)]).unwrap();
    refused(&base, &[&added(most + 1)], &["there are 129 processes"]);
}

/// A system with these devices, its first driver having `more`.
fn with_devices(devices: &str, more: &'static str) -> String {
    let driver = Row { name: "rngd", id: 7, authority: "random-driver", pages: 10, more, ..logd() };
    file(&[init(), logd(), execd(), driver]) + devices
}

const RNG: &str = "[[device]]\nname = \"rng\"\nvirtio = 4\n";

#[test]
fn a_device_is_declared_once_and_whole() {
    let rngd = "device = \"rng\"";
    build(&with_devices(RNG, rngd), &[]).unwrap();
    for (devices, parts) in [
        ("virtio = 0", ["virtio 0 is out of range", "use 1 to 63"]),
        ("virtio = 64", ["virtio 64 is out of range", "use 1 to 63"]),
        ("", ["found in two ways or in none", "either"]),
        ("virtio = 4\ncompatible = \"x\"", ["found in two ways or in none", "either"]),
        ("compatible = \"\"", ["compatible has 0 bytes", "use 1 to 31"]),
        ("compatible = \"01234567890123456789012345678901\"", ["compatible has 32 bytes", "use 1 to 31"]),
        ("virtio = 4\npool_pages = 4097\npool_vmos = 1", ["pool_pages 4097", "4096 is the most"]),
        ("virtio = 4\npool_pages = 1", ["pool_pages without pool_vmos", "a pool has"]),
        ("virtio = 4\npool_vmos = 1", ["pool_pages without pool_vmos", "a pool has"]),
        ("compatible = \"x\"\npool_pages = 1\npool_vmos = 1", ["`rng` has a pool", "only a virtio device"]),
        ("virtio = 4\nwindow_pages = 1", ["is a virtio device", "remove `window_pages`"]),
        (
            "compatible = \"x\"\nwindow_pages = 16385",
            ["window_pages 16385 is out of range", "16384 is the most"],
        ),
        ("virtio = 4\ncolour = 1", ["unknown field", "colour"]),
    ] {
        refused(&with_devices(&format!("[[device]]\nname = \"rng\"\n{devices}\n"), rngd), &[], &parts);
    }
    let text = with_devices(&(String::from(RNG) + &RNG.replace("4", "5")), rngd);
    refused(&text, &[], &["two devices are named `rng`"]);
    let other = RNG.replace("rng", "dice");
    refused(&with_devices(&(String::from(RNG) + &other), rngd), &[], &["`dice` is the same device as `rng`"]);
    refused(&with_devices(&(String::from(RNG) + &other), rngd), &[], &["nobody can have the device `dice`"]);
    let named = |letters| RNG.replace("rng", &"r".repeat(letters));
    let asks = |letters| format!("may_request = [\"{}\"]\n", "r".repeat(letters));
    let asking = |letters| Row { more: "", ..probe() }.text() + &asks(letters) + &named(letters);
    let base = file(&[init(), logd(), execd()]);
    build(&base, &[&asking(nexus_registry::MAX_DEVICE_NAME)]).unwrap();
    refused(&base, &[&asking(nexus_registry::MAX_DEVICE_NAME + 1)], &["is not a name", "use 1 to 26"]);
    refused(&with_devices(&RNG.replace("rng", "Rng"), rngd), &[], &["`Rng` is not a name"]);
}

#[test]
fn a_device_has_one_holder() {
    let parts = |device: &'static str| ["there is no device", device, "declare it"];
    refused(&with_devices(RNG, "device = \"tea\""), &[], &parts("`tea`"));
    refused(&with_devices(RNG, "may_request = [\"tea\"]"), &[], &parts("`tea`"));
    build(&with_devices(RNG, "may_request = [\"rng\"]"), &[]).unwrap();
    let pooled = String::from(RNG) + "pool_pages = 1\npool_vmos = 1\n";
    build(&with_devices(&pooled, "device = \"rng\""), &[]).unwrap();
    let parts = ["the device `rng` reaches memory", "cannot be asked for"];
    refused(&with_devices(&pooled, "may_request = [\"rng\"]"), &[], &parts);
    let twice = "may_request = [\"rng\", \"rng\"]";
    refused(&with_devices(RNG, twice), &[], &["`rngd` is given the device `rng` twice"]);
    refused(
        &with_devices(RNG, "device = \"rng\"\nmay_request = [\"rng\"]"),
        &[],
        &["given the device `rng` twice"],
    );
    let rngd = "device = \"rng\"";
    let second = Row { more: "device = \"rng\"", ..probe() }.text();
    refused(
        &with_devices(RNG, rngd),
        &[&second],
        &["added.toml:9:", "the device `rng` is that of `rngd` already"],
    );
    let asking = Row { more: "may_request = [\"rng\"]", ..probe() }.text();
    let parts = ["added.toml:9:", "the device `rng` is that of `rngd`", "cannot be asked for"];
    refused(&with_devices(RNG, rngd), &[&asking], &parts);
    let first = Row { more: "grants = [\"root\"]\nuses = [\"spawn\"]\ndevice = \"rng\"", ..init() };
    refused(&(file(&[first, logd(), execd()]) + RNG), &[], &["the first process has every device already"]);
}

#[test]
fn devices_have_a_bound_and_fit_the_machine() {
    let many = |count: usize| -> String {
        let names: Vec<_> = (0..count).map(|n| format!("\"d{n}\"")).collect();
        let device = |n: usize| format!("[[device]]\nname = \"d{n}\"\nvirtio = 4\nindex = {n}\n");
        let asking = Row { more: "", ..probe() }.text() + &format!("may_request = [{}]\n", names.join(", "));
        asking + &(0..count).map(device).collect::<String>()
    };
    let base = file(&[init(), logd(), execd()]);
    build(&base, &[&many(nexus_registry::MAX_DEVICES)]).unwrap();
    refused(&base, &[&many(nexus_registry::MAX_DEVICES + 1)], &["there are 33 devices", "32 is the most"]);
    // The sample has 1000 pages and uses 314 of them; a pool costs its pages, its vmos, and 4 more.
    let pool = |pages: u32| format!("{RNG}pool_pages = {pages}\npool_vmos = 3\n");
    build(&with_devices(&pool(679), "device = \"rng\""), &[]).unwrap();
    refused(
        &with_devices(&pool(680), "device = \"rng\""),
        &[],
        &["pages", "what the devices leave of memory_pages"],
    );
    refused(&with_devices(&pool(994), "device = \"rng\""), &[], &["the devices need 1001 pages", "lower"]);
}

/// A system whose block driver has `more`, and the disk.
fn with_disk(more: &'static str) -> String {
    let driver = Row { name: "virtioblkd", id: 8, authority: "block-driver", pages: 10, more, ..logd() };
    file(&[init(), logd(), execd(), driver])
        + "[[device]]\nname = \"disk\"\nvirtio = 2\npool_pages = 4\npool_vmos = 2\n"
}

const DISK: &str = "provides = [\"disk\"]\ndevice = \"disk\"";

#[test]
fn partitions_are_opened_by_who_is_listed() {
    let client = |more: &str| Row { more: "", ..probe() }.text() + more + "\n";
    let base = with_disk(DISK);
    let opens = |names: &str| format!("uses = [\"disk\"]\ndisk_pages = 9\npartitions = [{names}]");
    let table = build(&base, &[&client(&opens("\"*\", \"state\""))]).unwrap();
    let registry = Registry::parse(&table).unwrap();
    assert_eq!(registry.by_name("virtioblkd").unwrap().args, "65536=* 65536=state");
    let refused_client = |more: &str, parts: &[&str]| refused(&base, &[&client(more)], parts);
    let unused = "partitions = [\"*\"]\ndisk_pages = 9";
    refused_client(unused, &["`probe` may open a partition and does not use `disk`"]);
    for name in ["", "a b", "a\\tb", "a\\nb"] {
        refused_client(&opens(&format!("\"{name}\"")), &["is no name of a partition", "without spaces"]);
    }
    refused_client(&opens("\"a\", \"a\""), &["`probe` may open `a` twice"]);
    // `65536=` and the name make the list.
    let long = |length| opens(&format!("\"{}\"", "x".repeat(length)));
    build(&base, &[&client(&long(249))]).unwrap();
    refused_client(&long(250), &["the list of partitions has 256 bytes", "255 is the most"]);
    let own = with_disk("provides = [\"disk\"]\ndevice = \"disk\"\nargs = \"1=*\"");
    refused(&own, &[], &["`virtioblkd` has arguments of its own"]);
    let without = file(&[init(), logd(), execd()]);
    refused(
        &without,
        &[&client("partitions = [\"a\"]\ndisk_pages = 9")],
        &["nobody could open `a` for `probe`", "not built"],
    );
}

#[test]
fn who_opens_a_partition_has_memory_of_its_own() {
    let client = |n: usize, more: &str| {
        let row = Row { id: 0x1_0000 + n as u32, pages: 1, cpu: 1, more: "start = \"demand\"", ..probe() };
        row.text().replace("probe", &format!("p{n}")) + "uses = [\"disk\"]\n" + more + "\n"
    };
    let base = with_disk(DISK);
    let shares = |pages: &str| format!("partitions = [\"a\"]\ndisk_pages = {pages}");
    let table =
        build(&base, &[&client(0, &shares("1")), &client(1, &shares("64"))].map(|t| t.as_str())).unwrap();
    let registry = Registry::parse(&table).unwrap();
    let all: Vec<_> = registry.shares(0).map(|(whose, share)| (whose, share.pages)).collect();
    assert_eq!(all, [(0x1_0000, 1), (0x1_0001, 64)]);
    let refused_client = |more: &str, parts: &[&str]| refused(&base, &[&client(0, more)], parts);
    refused_client("partitions = [\"a\"]", &["`p0` may open a partition and has no memory", "`disk_pages`"]);
    refused_client("disk_pages = 1", &["`p0` has `disk_pages` and may open no partition", "remove"]);
    for pages in ["0", "4097"] {
        refused_client(&shares(pages), &["is out of range", "use 1 to 4096"]);
    }
    // The sample has 1000 pages: its processes use 316 of them, the disk 10, and a share 6 besides its own.
    build(&base, &[&client(0, &shares("668"))]).unwrap();
    refused_client(&shares("669"), &["pages", "what the devices leave of memory_pages"]);
    // As many as have sessions of their own, and one more.
    let many = |count: usize| (0..count).map(|n| client(n, &shares("1"))).collect::<String>();
    build(&base, &[&many(nexus_registry::MAX_SHARES)]).unwrap();
    refused(
        &base,
        &[&many(nexus_registry::MAX_SHARES + 1)],
        &["`p4` is one too many", "4 processes are the most"],
    );
}

#[test]
fn state_is_stored_by_who_is_listed() {
    let keeper = |more| Row { name: "statefsd", id: 8, authority: "state", pages: 10, more, ..logd() };
    let rows = |more: &'static str| [init(), logd(), execd(), keeper(more)];
    let client = |more: &str| Row { more: "", ..probe() }.text() + more + "\n";
    let base = file(&rows("provides = [\"state\"]"));
    let rules = "uses = [\"state\"]\nstate = [\"app/a:rw\", \":r\"]\nstate_quota = \"10/20\"";
    let table = build(&base, &[&client(rules)]).unwrap();
    let registry = Registry::parse(&table).unwrap();
    assert_eq!(registry.by_name("statefsd").unwrap().args, "65536:app/a:rw ::r #10/20");
    let refused_client = |more: &str, parts: &[&str]| refused(&base, &[&client(more)], parts);
    refused_client("state = [\"a:r\"]", &["`probe` may store something and does not use `state`"]);
    for rule in ["", "a", "a:", "a:x", "/a:r", "a/:r", "a//b:r", "../a:r", "a b:r", "a#b:r", "a:b:r"] {
        let more = format!("uses = [\"state\"]\nstate = [\"{rule}\"]");
        refused_client(&more, &["is no rule of /state", "PREFIX:OPERATIONS"]);
    }
    for quota in ["", "1", "2/1", "a/1", "1/-1", "1/2/3"] {
        let more = format!("uses = [\"state\"]\nstate_quota = \"{quota}\"");
        refused_client(&more, &["is no quota of /state", "SOFT/HARD"]);
    }
    let sealing = "uses = [\"state\"]\nseals = [\"keystore\", \"trust/a\"]";
    let table = build(&base, &[&client(sealing)]).unwrap();
    let registry = Registry::parse(&table).unwrap();
    assert_eq!(registry.by_name("statefsd").unwrap().args, "65536=keystore =trust/a");
    refused_client("seals = [\"keystore\"]", &["`probe` may store something and does not use `state`"]);
    for prefix in ["", "app", "/keystore", "keystore/", "keystore 1=trust", "keystore:r"] {
        let more = format!("uses = [\"state\"]\nseals = [\"{prefix}\"]");
        refused_client(&more, &["is no prefix of /state that can be sealed", "`keystore`"]);
    }
    for seals in ["\"keystore\", \"keystore/a\"", "\"trust/a/b\", \"trust/a\"", "\"trust\", \"trust\""] {
        let more = format!("uses = [\"state\"]\nseals = [{seals}]");
        refused_client(&more, &["one lies in the other"]);
    }
    let many: Vec<_> = (0..9).map(|n| format!("\"trust/{n}\"")).collect();
    let more = format!("uses = [\"state\"]\nseals = [{}]", many.join(", "));
    refused_client(&more, &["`trust/8` is one sealed prefix too many", "8 is the most"]);
    let long = |length| format!("uses = [\"state\"]\nstate = [\"{}:r\"]", "x".repeat(length));
    build(&base, &[&client(&long(247))]).unwrap();
    refused_client(&long(248), &["the rules of /state have 256 bytes", "255 is the most"]);
    let timed = Row {
        name: "timed",
        id: 9,
        authority: "time",
        more: "uses = [\"state\"]\nstate = [\"RULE\"]",
        ..logd()
    };
    let [first, log, exec, state] = rows("provides = [\"state\"]");
    let others = file(&[first, log, exec, state, timed]);
    let with = |rule: &str| others.replace("RULE", rule);
    for rule in ["boot:r", "boot/slot:r", "boots:rw", ":rwscm", "keystores/a:r"] {
        build(&with(rule), &[]).unwrap();
    }
    for rule in ["boot:rw", "boot/slot:w", "keystore:r", "keystore/device:w"] {
        refused(&with(rule), &[], &["`timed` may not be let do", "belongs to the authority"]);
    }
    let more = "[[allow]]\nname = \"timed\"\nstate = [\":w\"]\nstate_quota = \"1/2\"\n";
    let table = build(&with("a:r"), &[more]).unwrap();
    let registry = nexus_registry::Registry::parse(&table).unwrap();
    assert_eq!(registry.by_name("statefsd").unwrap().args, "9:a:r ::w #1/2");
    let quota = |hard: u64| format!("uses = [\"state\"]\nstate_quota = \"0/{hard}\"");
    let most = nexus_state::rules::quotas_that_fit(nexus_registry::STATE_BYTES);
    assert!(most > 1 << 20, "{most}");
    build(&base, &[&client(&quota(most))]).unwrap();
    for over in [most + 1, u64::MAX] {
        refused_client(&quota(over), &["the quotas of /state come to", "is what surely fits"]);
    }
    let own = file(&rows("provides = [\"state\"]\nargs = \"1::r\""));
    refused(&own, &[], &["`statefsd` has arguments of its own"]);
    let without = file(&[init(), logd(), execd()]);
    refused(
        &without,
        &[&client("state = [\"a:r\"]")],
        &["nobody could store anything for `probe`", "not built"],
    );
}
