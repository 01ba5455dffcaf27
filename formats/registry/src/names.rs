//! The canonical names: one a job. What else such a job is called elsewhere is a defect here, and is refused
//! with the right name in the message.

/// Every authority with the one process name it has.
pub const CANONICAL: &[(&str, &str)] = &[
    ("init", "nexus-init"),
    ("spawn", "execd"),
    ("services", "samgrd"),
    ("policy", "policyd"),
    ("log", "logd"),
    ("records", "recordd"),
    ("state", "statefsd"),
    ("keys", "keystored"),
    ("bundles", "bundlemgrd"),
    ("updates", "updated"),
    ("block-driver", "virtioblkd"),
    ("net-driver", "virtionetd"),
    ("random-driver", "rngd"),
    ("uart-driver", "uartd"),
    ("diagnostics", "diagd"),
    ("network", "netstackd"),
    ("compositor", "windowd"),
    ("display", "fbdevd"),
    ("input", "inputd"),
    ("hid-driver", "hidrawd"),
    ("content", "contentd"),
    ("content-grants", "grantsd"),
    ("time", "timed"),
    ("power", "powerd"),
    ("battery", "batteryd"),
    ("thermal", "thermald"),
    ("input-method", "imed"),
    ("applications", "appmgrd"),
    ("recovery", "recovery-init"),
];

/// The authority over the one device that a driver's entry names, and over nothing else: that of each driver whose job is not listed.
pub const DRIVER_AUTHORITY: &str = "driver";

/// The authority that only test programs have, any number of them.
pub const TEST_AUTHORITY: &str = "test";

/// Names of the wrong kind, with the right one.
pub const ALIASES: &[(&str, &str)] = &[
    ("abilitymgr", "appmgrd"),
    ("appmgr", "appmgrd"),
    ("batterymgr", "batteryd"),
    ("bundlemgr", "bundlemgrd"),
    ("compositor", "windowd"),
    ("execmgr", "execd"),
    ("fbdev", "fbdevd"),
    ("ime", "imed"),
    ("init", "nexus-init"),
    ("inputmgr", "inputd"),
    ("keystore", "keystored"),
    ("logger", "logd"),
    ("netstack", "netstackd"),
    ("policymgr", "policyd"),
    ("powermgr", "powerd"),
    ("samgr", "samgrd"),
    ("servicemgr", "samgrd"),
    ("statefs", "statefsd"),
    ("thermalmgr", "thermald"),
    ("timemgr", "timed"),
    ("updater", "updated"),
    ("virtioblk", "virtioblkd"),
    ("virtionet", "virtionetd"),
    ("windowmgr", "windowd"),
];

/// The canonical name that `name` is a wrong spelling of: an alias, or one with `d`, `mgr`, `mgrd` or
/// `manager` behind it that is not canonical itself.
pub fn misspelled(name: &str) -> Option<&'static str> {
    if CANONICAL.iter().any(|(_, canonical)| *canonical == name) {
        return None;
    }
    let stem = ["manager", "mgrd", "mgr", "d"].iter().find_map(|end| name.strip_suffix(end));
    let canonical_of_stem = stem.filter(|stem| !stem.is_empty()).and_then(|stem| {
        CANONICAL
            .iter()
            .map(|(_, canonical)| *canonical)
            .find(|canonical| canonical.strip_suffix('d') == Some(stem))
    });
    let alias = |wanted: &str| ALIASES.iter().find(|(alias, _)| *alias == wanted).map(|(_, right)| *right);
    alias(name).or_else(|| stem.and_then(alias)).or(canonical_of_stem)
}
