//! Wire tests of `state`.
//!
//! Generated from `idl/state.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, FakeHandle, Loopback};
use nexus_abi::Kind;
use nexus_api::state::*;
use nexus_wire::{Bytes, CallError, Fault, Held, Outcome, Sender, Text, kinds};

#[test]
fn get_request_has_one_spelling() {
    support::spelled!(
        GetRequest<'_>,
        "010000009e5c1b690000000000000000",
        GetRequest { from: 0x0, path: support::text('f', 0) }
    );
    support::spelled!(
        GetRequest<'_>,
        "010000009e5c1b692312807867564534 69*128",
        GetRequest { from: 0x3445566778801223, path: support::text('i', 128) }
    );
    support::spelled!(
        GetRequest<'_>,
        "010000009e5c1b69ffffffffffffffff 66*255",
        GetRequest { from: 0xffffffffffffffff, path: support::text('f', 255) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(GetRequest<'_>, "010000009e5c1b692312807867564534 69*128", handles);
    support::flawed!(
        GetRequest<'_>,
        "010000009e5c1b692312807867564534 69*128",
        handles,
        16,
        &[255],
        "path is not UTF-8"
    );
}

#[test]
fn get_reply_has_one_spelling() {
    support::spelled!(
        GetReply<'_>,
        "010000009e5c1b69 00*24",
        GetReply { stat: Stat { length: 0x0, version: 0x0, owner: 0x0 }, data: support::bytes(0x81, 0) }
    );
    support::spelled!(
        GetReply<'_>,
        "010000009e5c1b698127cd72109036dc135ba2e9403c85cc47ce54db00000000 cf*1536",
        GetReply {
            stat: Stat { length: 0xdc36901072cd2781, version: 0xcc853c40e9a25b13, owner: 0xdb54ce47 },
            data: support::bytes(0xcf, 1536),
        }
    );
    support::spelled!(
        GetReply<'_>,
        "010000009e5c1b69 ff*20 00000000 81*3072",
        GetReply {
            stat: Stat { length: 0xffffffffffffffff, version: 0xffffffffffffffff, owner: 0xffffffff },
            data: support::bytes(0x81, 3072),
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        GetReply<'_>,
        "010000009e5c1b698127cd72109036dc135ba2e9403c85cc47ce54db00000000 cf*1536",
        handles
    );
    support::flawed!(
        GetReply<'_>,
        "010000009e5c1b698127cd72109036dc135ba2e9403c85cc47ce54db00000000 cf*1536",
        handles,
        28,
        &[1],
        "padding in stat"
    );
}

#[test]
fn stat_request_has_one_spelling() {
    support::spelled!(StatRequest<'_>, "020000009e5c1b69", StatRequest { path: support::text('k', 0) });
    support::spelled!(
        StatRequest<'_>,
        "020000009e5c1b69 6b*128",
        StatRequest { path: support::text('k', 128) }
    );
    support::spelled!(
        StatRequest<'_>,
        "020000009e5c1b69 6b*255",
        StatRequest { path: support::text('k', 255) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(StatRequest<'_>, "020000009e5c1b69 6b*128", handles);
    support::flawed!(StatRequest<'_>, "020000009e5c1b69 6b*128", handles, 8, &[255], "path is not UTF-8");
}

#[test]
fn stat_reply_has_one_spelling() {
    support::spelled!(
        StatReply,
        "020000009e5c1b69 00*24",
        StatReply { stat: Stat { length: 0x0, version: 0x0, owner: 0x0 } }
    );
    support::spelled!(
        StatReply,
        "020000009e5c1b6909c7844210d08d4b229a118940bc33ab654c331a00000000",
        StatReply {
            stat: Stat { length: 0x4b8dd0104284c709, version: 0xab33bc4089119a22, owner: 0x1a334c65 },
        }
    );
    support::spelled!(
        StatReply,
        "020000009e5c1b69 ff*20 00000000",
        StatReply {
            stat: Stat { length: 0xffffffffffffffff, version: 0xffffffffffffffff, owner: 0xffffffff },
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(StatReply, "020000009e5c1b6909c7844210d08d4b229a118940bc33ab654c331a00000000", handles);
    support::flawed!(
        StatReply,
        "020000009e5c1b6909c7844210d08d4b229a118940bc33ab654c331a00000000",
        handles,
        28,
        &[1],
        "padding in stat"
    );
}

#[test]
fn put_request_has_one_spelling() {
    support::spelled!(
        PutRequest<'_>,
        "030000009e5c1b69 00*260",
        PutRequest { durable: false, path: support::text('k', 0), data: support::bytes(0x11, 0) }
    );
    support::spelled!(
        PutRequest<'_>,
        "030000009e5c1b6900008000 79*128  00*128  a3*1536",
        PutRequest { durable: false, path: support::text('y', 128), data: support::bytes(0xa3, 1536) }
    );
    support::spelled!(
        PutRequest<'_>,
        "030000009e5c1b690100ff00 6b*255 00 11*3072",
        PutRequest { durable: true, path: support::text('k', 255), data: support::bytes(0x11, 3072) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(PutRequest<'_>, "030000009e5c1b6900008000 79*128  00*128  a3*1536", handles);
    support::flawed!(
        PutRequest<'_>,
        "030000009e5c1b6900008000 79*128  00*128  a3*1536",
        handles,
        9,
        &[1],
        "padding"
    );
    support::flawed!(
        PutRequest<'_>,
        "030000009e5c1b6900008000 79*128  00*128  a3*1536",
        handles,
        9,
        &[1],
        "padding"
    );
    support::flawed!(
        PutRequest<'_>,
        "030000009e5c1b6900008000 79*128  00*128  a3*1536",
        handles,
        8,
        &[2],
        "durable is neither 0 nor 1"
    );
    support::flawed!(
        PutRequest<'_>,
        "030000009e5c1b6900008000 79*128  00*128  a3*1536",
        handles,
        10,
        &[0, 1],
        "path is one past its bound"
    );
    support::flawed!(
        PutRequest<'_>,
        "030000009e5c1b6900008000 79*128  00*128  a3*1536",
        handles,
        266,
        &[1],
        "path has bytes past its length"
    );
    support::flawed!(
        PutRequest<'_>,
        "030000009e5c1b6900008000 79*128  00*128  a3*1536",
        handles,
        12,
        &[255],
        "path is not UTF-8"
    );
}

#[test]
fn put_reply_has_one_spelling() {
    support::spelled!(
        PutReply,
        "030000009e5c1b69 00*16",
        PutReply { receipt: Receipt { run: 0x0, generation: 0x0 } }
    );
    support::spelled!(
        PutReply,
        "030000009e5c1b69966432905f2dfbc839d16840db720aa2",
        PutReply { receipt: Receipt { run: 0xc8fb2d5f90326496, generation: 0xa20a72db4068d139 } }
    );
    support::spelled!(
        PutReply,
        "030000009e5c1b69 ff*16",
        PutReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(PutReply, "030000009e5c1b69966432905f2dfbc839d16840db720aa2", handles);
}

#[test]
fn delete_request_has_one_spelling() {
    support::spelled!(DeleteRequest<'_>, "040000009e5c1b69", DeleteRequest { path: support::text('k', 0) });
    support::spelled!(
        DeleteRequest<'_>,
        "040000009e5c1b69 6b*128",
        DeleteRequest { path: support::text('k', 128) }
    );
    support::spelled!(
        DeleteRequest<'_>,
        "040000009e5c1b69 6b*255",
        DeleteRequest { path: support::text('k', 255) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(DeleteRequest<'_>, "040000009e5c1b69 6b*128", handles);
    support::flawed!(DeleteRequest<'_>, "040000009e5c1b69 6b*128", handles, 8, &[255], "path is not UTF-8");
}

#[test]
fn delete_reply_has_one_spelling() {
    support::spelled!(
        DeleteReply,
        "040000009e5c1b69 00*16",
        DeleteReply { receipt: Receipt { run: 0x0, generation: 0x0 } }
    );
    support::spelled!(
        DeleteReply,
        "040000009e5c1b69966432905f2dfbc839d16840db720aa2",
        DeleteReply { receipt: Receipt { run: 0xc8fb2d5f90326496, generation: 0xa20a72db4068d139 } }
    );
    support::spelled!(
        DeleteReply,
        "040000009e5c1b69 ff*16",
        DeleteReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(DeleteReply, "040000009e5c1b69966432905f2dfbc839d16840db720aa2", handles);
}

#[test]
fn rename_request_has_one_spelling() {
    support::spelled!(
        RenameRequest<'_>,
        "050000009e5c1b69 00*258",
        RenameRequest { from: support::text('u', 0), to: support::text('i', 0) }
    );
    support::spelled!(
        RenameRequest<'_>,
        "050000009e5c1b698000 75*128  00*128  69*128",
        RenameRequest { from: support::text('u', 128), to: support::text('i', 128) }
    );
    support::spelled!(
        RenameRequest<'_>,
        "050000009e5c1b69ff00 75*255 00 69*255",
        RenameRequest { from: support::text('u', 255), to: support::text('i', 255) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(RenameRequest<'_>, "050000009e5c1b698000 75*128  00*128  69*128", handles);
    support::flawed!(
        RenameRequest<'_>,
        "050000009e5c1b698000 75*128  00*128  69*128",
        handles,
        8,
        &[0, 1],
        "from is one past its bound"
    );
    support::flawed!(
        RenameRequest<'_>,
        "050000009e5c1b698000 75*128  00*128  69*128",
        handles,
        264,
        &[1],
        "from has bytes past its length"
    );
    support::flawed!(
        RenameRequest<'_>,
        "050000009e5c1b698000 75*128  00*128  69*128",
        handles,
        10,
        &[255],
        "from is not UTF-8"
    );
    support::flawed!(
        RenameRequest<'_>,
        "050000009e5c1b698000 75*128  00*128  69*128",
        handles,
        266,
        &[255],
        "to is not UTF-8"
    );
}

#[test]
fn rename_reply_has_one_spelling() {
    support::spelled!(
        RenameReply,
        "050000009e5c1b69 00*16",
        RenameReply { receipt: Receipt { run: 0x0, generation: 0x0 } }
    );
    support::spelled!(
        RenameReply,
        "050000009e5c1b69966432905f2dfbc839d16840db720aa2",
        RenameReply { receipt: Receipt { run: 0xc8fb2d5f90326496, generation: 0xa20a72db4068d139 } }
    );
    support::spelled!(
        RenameReply,
        "050000009e5c1b69 ff*16",
        RenameReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(RenameReply, "050000009e5c1b69966432905f2dfbc839d16840db720aa2", handles);
}

#[test]
fn batch_request_has_one_spelling() {
    support::spelled!(
        BatchRequest<'_>,
        "060000009e5c1b6900",
        BatchRequest { durable: false, changes: support::bytes(0x99, 0) }
    );
    support::spelled!(
        BatchRequest<'_>,
        "060000009e5c1b6900 3b*1792",
        BatchRequest { durable: false, changes: support::bytes(0x3b, 1792) }
    );
    support::spelled!(
        BatchRequest<'_>,
        "060000009e5c1b6901 99*3584",
        BatchRequest { durable: true, changes: support::bytes(0x99, 3584) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(BatchRequest<'_>, "060000009e5c1b6900 3b*1792", handles);
    support::flawed!(
        BatchRequest<'_>,
        "060000009e5c1b6900 3b*1792",
        handles,
        8,
        &[2],
        "durable is neither 0 nor 1"
    );
}

#[test]
fn batch_reply_has_one_spelling() {
    support::spelled!(
        BatchReply,
        "060000009e5c1b69 00*16",
        BatchReply { receipt: Receipt { run: 0x0, generation: 0x0 } }
    );
    support::spelled!(
        BatchReply,
        "060000009e5c1b69966432905f2dfbc839d16840db720aa2",
        BatchReply { receipt: Receipt { run: 0xc8fb2d5f90326496, generation: 0xa20a72db4068d139 } }
    );
    support::spelled!(
        BatchReply,
        "060000009e5c1b69 ff*16",
        BatchReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(BatchReply, "060000009e5c1b69966432905f2dfbc839d16840db720aa2", handles);
}

#[test]
fn sync_request_has_one_spelling() {
    support::spelled!(
        SyncRequest,
        "070000009e5c1b69 00*16",
        SyncRequest { receipt: Receipt { run: 0x0, generation: 0x0 } }
    );
    support::spelled!(
        SyncRequest,
        "070000009e5c1b69966432905f2dfbc839d16840db720aa2",
        SyncRequest { receipt: Receipt { run: 0xc8fb2d5f90326496, generation: 0xa20a72db4068d139 } }
    );
    support::spelled!(
        SyncRequest,
        "070000009e5c1b69 ff*16",
        SyncRequest { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(SyncRequest, "070000009e5c1b69966432905f2dfbc839d16840db720aa2", handles);
}

#[test]
fn next_request_has_one_spelling() {
    support::spelled!(
        NextRequest<'_>,
        "080000009e5c1b69 00*258",
        NextRequest { prefix: support::text('u', 0), after: support::text('i', 0) }
    );
    support::spelled!(
        NextRequest<'_>,
        "080000009e5c1b698000 75*128  00*128  69*128",
        NextRequest { prefix: support::text('u', 128), after: support::text('i', 128) }
    );
    support::spelled!(
        NextRequest<'_>,
        "080000009e5c1b69ff00 75*255 00 69*255",
        NextRequest { prefix: support::text('u', 255), after: support::text('i', 255) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(NextRequest<'_>, "080000009e5c1b698000 75*128  00*128  69*128", handles);
    support::flawed!(
        NextRequest<'_>,
        "080000009e5c1b698000 75*128  00*128  69*128",
        handles,
        8,
        &[0, 1],
        "prefix is one past its bound"
    );
    support::flawed!(
        NextRequest<'_>,
        "080000009e5c1b698000 75*128  00*128  69*128",
        handles,
        264,
        &[1],
        "prefix has bytes past its length"
    );
    support::flawed!(
        NextRequest<'_>,
        "080000009e5c1b698000 75*128  00*128  69*128",
        handles,
        10,
        &[255],
        "prefix is not UTF-8"
    );
    support::flawed!(
        NextRequest<'_>,
        "080000009e5c1b698000 75*128  00*128  69*128",
        handles,
        266,
        &[255],
        "after is not UTF-8"
    );
}

#[test]
fn next_reply_has_one_spelling() {
    support::spelled!(
        NextReply<'_>,
        "080000009e5c1b69 00*25",
        NextReply {
            stat: Stat { length: 0x0, version: 0x0, owner: 0x0 },
            found: false,
            path: support::text('z', 0),
        }
    );
    support::spelled!(
        NextReply<'_>,
        "080000009e5c1b6913cf8a4610e09b5736aa1d9140dc4fc38d6c4b2a0000000001 6a*128",
        NextReply {
            stat: Stat { length: 0x579be010468acf13, version: 0xc34fdc40911daa36, owner: 0x2a4b6c8d },
            found: true,
            path: support::text('j', 128),
        }
    );
    support::spelled!(
        NextReply<'_>,
        "080000009e5c1b69 ff*20 0000000001 7a*255",
        NextReply {
            stat: Stat { length: 0xffffffffffffffff, version: 0xffffffffffffffff, owner: 0xffffffff },
            found: true,
            path: support::text('z', 255),
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        NextReply<'_>,
        "080000009e5c1b6913cf8a4610e09b5736aa1d9140dc4fc38d6c4b2a0000000001 6a*128",
        handles
    );
    support::flawed!(
        NextReply<'_>,
        "080000009e5c1b6913cf8a4610e09b5736aa1d9140dc4fc38d6c4b2a0000000001 6a*128",
        handles,
        28,
        &[1],
        "padding in stat"
    );
    support::flawed!(
        NextReply<'_>,
        "080000009e5c1b6913cf8a4610e09b5736aa1d9140dc4fc38d6c4b2a0000000001 6a*128",
        handles,
        32,
        &[2],
        "found is neither 0 nor 1"
    );
    support::flawed!(
        NextReply<'_>,
        "080000009e5c1b6913cf8a4610e09b5736aa1d9140dc4fc38d6c4b2a0000000001 6a*128",
        handles,
        33,
        &[255],
        "path is not UTF-8"
    );
}

#[test]
fn usage_request_has_one_spelling() {
    support::spelled!(UsageRequest, "090000009e5c1b69", UsageRequest {});
    support::spelled!(UsageRequest, "090000009e5c1b69", UsageRequest {});
    support::spelled!(UsageRequest, "090000009e5c1b69", UsageRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(UsageRequest, "090000009e5c1b69", handles);
}

#[test]
fn usage_reply_has_one_spelling() {
    support::spelled!(UsageReply, "090000009e5c1b69 00*24", UsageReply { used: 0x0, soft: 0x0, hard: 0x0 });
    support::spelled!(
        UsageReply,
        "090000009e5c1b6909c7844210d08d4b229a118940bc33ab654c331ac1b0977e",
        UsageReply { used: 0x4b8dd0104284c709, soft: 0xab33bc4089119a22, hard: 0x7e97b0c11a334c65 }
    );
    support::spelled!(
        UsageReply,
        "090000009e5c1b69 ff*24",
        UsageReply { used: 0xffffffffffffffff, soft: 0xffffffffffffffff, hard: 0xffffffffffffffff }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        UsageReply,
        "090000009e5c1b6909c7844210d08d4b229a118940bc33ab654c331ac1b0977e",
        handles
    );
}

#[test]
fn snapshot_request_has_one_spelling() {
    support::spelled!(
        SnapshotRequest<'_>,
        "0a0000009e5c1b69",
        SnapshotRequest { name: support::text('x', 0) }
    );
    support::spelled!(
        SnapshotRequest<'_>,
        "0a0000009e5c1b69 78*16",
        SnapshotRequest { name: support::text('x', 16) }
    );
    support::spelled!(
        SnapshotRequest<'_>,
        "0a0000009e5c1b69 78*32",
        SnapshotRequest { name: support::text('x', 32) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(SnapshotRequest<'_>, "0a0000009e5c1b69 78*16", handles);
    support::flawed!(SnapshotRequest<'_>, "0a0000009e5c1b69 78*16", handles, 8, &[255], "name is not UTF-8");
}

#[test]
fn restore_request_has_one_spelling() {
    support::spelled!(RestoreRequest<'_>, "0b0000009e5c1b69", RestoreRequest { name: support::text('x', 0) });
    support::spelled!(
        RestoreRequest<'_>,
        "0b0000009e5c1b69 78*16",
        RestoreRequest { name: support::text('x', 16) }
    );
    support::spelled!(
        RestoreRequest<'_>,
        "0b0000009e5c1b69 78*32",
        RestoreRequest { name: support::text('x', 32) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(RestoreRequest<'_>, "0b0000009e5c1b69 78*16", handles);
    support::flawed!(RestoreRequest<'_>, "0b0000009e5c1b69 78*16", handles, 8, &[255], "name is not UTF-8");
}

#[test]
fn forget_request_has_one_spelling() {
    support::spelled!(ForgetRequest<'_>, "0c0000009e5c1b69", ForgetRequest { name: support::text('x', 0) });
    support::spelled!(
        ForgetRequest<'_>,
        "0c0000009e5c1b69 78*16",
        ForgetRequest { name: support::text('x', 16) }
    );
    support::spelled!(
        ForgetRequest<'_>,
        "0c0000009e5c1b69 78*32",
        ForgetRequest { name: support::text('x', 32) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(ForgetRequest<'_>, "0c0000009e5c1b69 78*16", handles);
    support::flawed!(ForgetRequest<'_>, "0c0000009e5c1b69 78*16", handles, 8, &[255], "name is not UTF-8");
}

#[test]
fn health_request_has_one_spelling() {
    support::spelled!(HealthRequest, "0d0000009e5c1b69", HealthRequest {});
    support::spelled!(HealthRequest, "0d0000009e5c1b69", HealthRequest {});
    support::spelled!(HealthRequest, "0d0000009e5c1b69", HealthRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(HealthRequest, "0d0000009e5c1b69", handles);
}

#[test]
fn health_reply_has_one_spelling() {
    support::spelled!(
        HealthReply,
        "0d0000009e5c1b69 00*80",
        HealthReply {
            generation: 0x0,
            safe: 0x0,
            keys: 0x0,
            pages: 0x0,
            free: 0x0,
            mended: 0x0,
            lost: 0x0,
            fault: 0x0,
            store: [0x0; 16],
            flushes: 0x0,
            written: 0x0,
        }
    );
    support::spelled!(
        HealthReply,
        "0d0000009e5c1b691866b390e3307ecb3dd46a41e37910a793b8ddc2fe23496e5791cb050e63b70bde46af173e8fdf2f81210b276f1fbf80020a1e51cce87225cea3000000000000526f8ca9c6e31035bcf2285f95cb4186",
        HealthReply {
            generation: 0xcb7e30e390b36618,
            safe: 0xa71079e3416ad43d,
            keys: 0x6e4923fec2ddb893,
            pages: 0x5cb9157,
            free: 0xbb7630e,
            mended: 0x17af46de,
            lost: 0x2fdf8f3e,
            fault: 0x2181,
            store: [
                0xb, 0x27, 0x6f, 0x1f, 0xbf, 0x80, 0x2, 0xa, 0x1e, 0x51, 0xcc, 0xe8, 0x72, 0x25, 0xce, 0xa3
            ],
            flushes: 0x3510e3c6a98c6f52,
            written: 0x8641cb955f28f2bc,
        }
    );
    support::spelled!(
        HealthReply,
        "0d0000009e5c1b69 ff*58 000000000000 ff*16",
        HealthReply {
            generation: 0xffffffffffffffff,
            safe: 0xffffffffffffffff,
            keys: 0xffffffffffffffff,
            pages: 0xffffffff,
            free: 0xffffffff,
            mended: 0xffffffff,
            lost: 0xffffffff,
            fault: 0xffff,
            store: [0xff; 16],
            flushes: 0xffffffffffffffff,
            written: 0xffffffffffffffff,
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        HealthReply,
        "0d0000009e5c1b691866b390e3307ecb3dd46a41e37910a793b8ddc2fe23496e5791cb050e63b70bde46af173e8fdf2f81210b276f1fbf80020a1e51cce87225cea3000000000000526f8ca9c6e31035bcf2285f95cb4186",
        handles
    );
    support::flawed!(
        HealthReply,
        "0d0000009e5c1b691866b390e3307ecb3dd46a41e37910a793b8ddc2fe23496e5791cb050e63b70bde46af173e8fdf2f81210b276f1fbf80020a1e51cce87225cea3000000000000526f8ca9c6e31035bcf2285f95cb4186",
        handles,
        66,
        &[1],
        "padding"
    );
    support::flawed!(
        HealthReply,
        "0d0000009e5c1b691866b390e3307ecb3dd46a41e37910a793b8ddc2fe23496e5791cb050e63b70bde46af173e8fdf2f81210b276f1fbf80020a1e51cce87225cea3000000000000526f8ca9c6e31035bcf2285f95cb4186",
        handles,
        71,
        &[1],
        "padding"
    );
}

#[test]
fn upload_request_has_one_spelling() {
    support::spelled!(
        UploadRequest<'_>,
        "0e0000009e5c1b690000000000000000",
        UploadRequest { length: 0x0, path: support::text('f', 0) }
    );
    support::spelled!(
        UploadRequest<'_>,
        "0e0000009e5c1b692312807867564534 69*128",
        UploadRequest { length: 0x3445566778801223, path: support::text('i', 128) }
    );
    support::spelled!(
        UploadRequest<'_>,
        "0e0000009e5c1b69ffffffffffffffff 66*255",
        UploadRequest { length: 0xffffffffffffffff, path: support::text('f', 255) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(UploadRequest<'_>, "0e0000009e5c1b692312807867564534 69*128", handles);
    support::flawed!(
        UploadRequest<'_>,
        "0e0000009e5c1b692312807867564534 69*128",
        handles,
        16,
        &[255],
        "path is not UTF-8"
    );
}

#[test]
fn upload_reply_has_one_spelling() {
    support::spelled!(UploadReply, "0e0000009e5c1b6900000000", UploadReply { upload: 0x0 });
    support::spelled!(UploadReply, "0e0000009e5c1b69a3016dcb", UploadReply { upload: 0xcb6d01a3 });
    support::spelled!(UploadReply, "0e0000009e5c1b69ffffffff", UploadReply { upload: 0xffffffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(UploadReply, "0e0000009e5c1b69a3016dcb", handles);
}

#[test]
fn more_request_has_one_spelling() {
    support::spelled!(
        MoreRequest<'_>,
        "0f0000009e5c1b6900000000",
        MoreRequest { upload: 0x0, data: support::bytes(0xa7, 0) }
    );
    support::spelled!(
        MoreRequest<'_>,
        "0f0000009e5c1b69a7046d57 91*1536",
        MoreRequest { upload: 0x576d04a7, data: support::bytes(0x91, 1536) }
    );
    support::spelled!(
        MoreRequest<'_>,
        "0f0000009e5c1b69ffffffff a7*3072",
        MoreRequest { upload: 0xffffffff, data: support::bytes(0xa7, 3072) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(MoreRequest<'_>, "0f0000009e5c1b69a7046d57 91*1536", handles);
}

#[test]
fn publish_request_has_one_spelling() {
    support::spelled!(PublishRequest, "100000009e5c1b6900000000", PublishRequest { upload: 0x0 });
    support::spelled!(PublishRequest, "100000009e5c1b69a3016dcb", PublishRequest { upload: 0xcb6d01a3 });
    support::spelled!(PublishRequest, "100000009e5c1b69ffffffff", PublishRequest { upload: 0xffffffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(PublishRequest, "100000009e5c1b69a3016dcb", handles);
}

#[test]
fn publish_reply_has_one_spelling() {
    support::spelled!(
        PublishReply,
        "100000009e5c1b69 00*16",
        PublishReply { receipt: Receipt { run: 0x0, generation: 0x0 } }
    );
    support::spelled!(
        PublishReply,
        "100000009e5c1b69966432905f2dfbc839d16840db720aa2",
        PublishReply { receipt: Receipt { run: 0xc8fb2d5f90326496, generation: 0xa20a72db4068d139 } }
    );
    support::spelled!(
        PublishReply,
        "100000009e5c1b69 ff*16",
        PublishReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(PublishReply, "100000009e5c1b69966432905f2dfbc839d16840db720aa2", handles);
}

#[test]
fn charge_request_has_one_spelling() {
    support::spelled!(ChargeRequest, "110000009e5c1b6900000000", ChargeRequest { from: 0x0 });
    support::spelled!(ChargeRequest, "110000009e5c1b69a3016dcb", ChargeRequest { from: 0xcb6d01a3 });
    support::spelled!(ChargeRequest, "110000009e5c1b69ffffffff", ChargeRequest { from: 0xffffffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(ChargeRequest, "110000009e5c1b69a3016dcb", handles);
}

#[test]
fn charge_reply_has_one_spelling() {
    support::spelled!(
        ChargeReply,
        "110000009e5c1b69 00*32",
        ChargeReply { service: 0x0, used: 0x0, soft: 0x0, hard: 0x0 }
    );
    support::spelled!(
        ChargeReply,
        "110000009e5c1b699b49f7a4000000004ba3fa51a9409df4c0660db45ac17219d00d4b88c5025693",
        ChargeReply {
            service: 0xa4f7499b,
            used: 0xf49d40a951faa34b,
            soft: 0x1972c15ab40d66c0,
            hard: 0x935602c5884b0dd0,
        }
    );
    support::spelled!(
        ChargeReply,
        "110000009e5c1b69ffffffff00000000 ff*24",
        ChargeReply {
            service: 0xffffffff,
            used: 0xffffffffffffffff,
            soft: 0xffffffffffffffff,
            hard: 0xffffffffffffffff,
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        ChargeReply,
        "110000009e5c1b699b49f7a4000000004ba3fa51a9409df4c0660db45ac17219d00d4b88c5025693",
        handles
    );
    support::flawed!(
        ChargeReply,
        "110000009e5c1b699b49f7a4000000004ba3fa51a9409df4c0660db45ac17219d00d4b88c5025693",
        handles,
        12,
        &[1],
        "padding"
    );
    support::flawed!(
        ChargeReply,
        "110000009e5c1b699b49f7a4000000004ba3fa51a9409df4c0660db45ac17219d00d4b88c5025693",
        handles,
        15,
        &[1],
        "padding"
    );
}

#[test]
fn point_request_has_one_spelling() {
    support::spelled!(PointRequest, "120000009e5c1b6900", PointRequest { index: 0x0 });
    support::spelled!(PointRequest, "120000009e5c1b6928", PointRequest { index: 0x28 });
    support::spelled!(PointRequest, "120000009e5c1b69ff", PointRequest { index: 0xff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(PointRequest, "120000009e5c1b6928", handles);
}

#[test]
fn point_reply_has_one_spelling() {
    support::spelled!(PointReply<'_>, "120000009e5c1b69", PointReply { name: support::text('x', 0) });
    support::spelled!(PointReply<'_>, "120000009e5c1b69 78*16", PointReply { name: support::text('x', 16) });
    support::spelled!(PointReply<'_>, "120000009e5c1b69 78*32", PointReply { name: support::text('x', 32) });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(PointReply<'_>, "120000009e5c1b69 78*16", handles);
    support::flawed!(PointReply<'_>, "120000009e5c1b69 78*16", handles, 8, &[255], "name is not UTF-8");
}

#[test]
fn check_request_has_one_spelling() {
    support::spelled!(CheckRequest, "130000009e5c1b6900", CheckRequest { mend: false });
    support::spelled!(CheckRequest, "130000009e5c1b6900", CheckRequest { mend: false });
    support::spelled!(CheckRequest, "130000009e5c1b6901", CheckRequest { mend: true });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(CheckRequest, "130000009e5c1b6900", handles);
    support::flawed!(CheckRequest, "130000009e5c1b6900", handles, 8, &[2], "mend is neither 0 nor 1");
}

#[test]
fn reset_request_has_one_spelling() {
    support::spelled!(ResetRequest, "140000009e5c1b69", ResetRequest {});
    support::spelled!(ResetRequest, "140000009e5c1b69", ResetRequest {});
    support::spelled!(ResetRequest, "140000009e5c1b69", ResetRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(ResetRequest, "140000009e5c1b69", handles);
}

#[test]
fn watch_request_has_one_spelling() {
    support::spelled!(
        WatchRequest<'_, FakeHandle>,
        "150000009e5c1b69",
        WatchRequest { news: support::handle(Kind::Channel, 0x40), prefix: support::text('k', 0) }
    );
    support::spelled!(
        WatchRequest<'_, FakeHandle>,
        "150000009e5c1b69 6b*128",
        WatchRequest { news: support::handle(Kind::Channel, 0x40), prefix: support::text('k', 128) }
    );
    support::spelled!(
        WatchRequest<'_, FakeHandle>,
        "150000009e5c1b69 6b*255",
        WatchRequest { news: support::handle(Kind::Channel, 0x40), prefix: support::text('k', 255) }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Channel, 0x40)];
    support::bounded!(WatchRequest<'_, FakeHandle>, "150000009e5c1b69 6b*128", handles);
    support::flawed!(
        WatchRequest<'_, FakeHandle>,
        "150000009e5c1b69 6b*128",
        handles,
        8,
        &[255],
        "prefix is not UTF-8"
    );
}

#[test]
fn watch_reply_has_one_spelling() {
    support::spelled!(WatchReply, "150000009e5c1b690000000000000000", WatchReply { watch: 0x0 });
    support::spelled!(
        WatchReply,
        "150000009e5c1b69442210efccaa8866",
        WatchReply { watch: 0x6688aaccef102244 }
    );
    support::spelled!(
        WatchReply,
        "150000009e5c1b69ffffffffffffffff",
        WatchReply { watch: 0xffffffffffffffff }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(WatchReply, "150000009e5c1b69442210efccaa8866", handles);
}

#[test]
fn event_request_has_one_spelling() {
    support::spelled!(EventRequest, "160000009e5c1b690000000000000000", EventRequest { watch: 0x0 });
    support::spelled!(
        EventRequest,
        "160000009e5c1b69442210efccaa8866",
        EventRequest { watch: 0x6688aaccef102244 }
    );
    support::spelled!(
        EventRequest,
        "160000009e5c1b69ffffffffffffffff",
        EventRequest { watch: 0xffffffffffffffff }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(EventRequest, "160000009e5c1b69442210efccaa8866", handles);
}

#[test]
fn event_reply_has_one_spelling() {
    support::spelled!(
        EventReply<'_>,
        "160000009e5c1b6900",
        EventReply { event: Event::None, path: support::text('m', 0) }
    );
    support::spelled!(
        EventReply<'_>,
        "160000009e5c1b6901 69*128",
        EventReply { event: Event::Changed, path: support::text('i', 128) }
    );
    support::spelled!(
        EventReply<'_>,
        "160000009e5c1b6902 6d*255",
        EventReply { event: Event::Resync, path: support::text('m', 255) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(EventReply<'_>, "160000009e5c1b6901 69*128", handles);
    support::flawed!(EventReply<'_>, "160000009e5c1b6901 69*128", handles, 8, &[3], "event has no value 3");
    support::flawed!(EventReply<'_>, "160000009e5c1b6901 69*128", handles, 9, &[255], "path is not UTF-8");
}

#[test]
fn unwatch_request_has_one_spelling() {
    support::spelled!(UnwatchRequest, "170000009e5c1b690000000000000000", UnwatchRequest { watch: 0x0 });
    support::spelled!(
        UnwatchRequest,
        "170000009e5c1b69442210efccaa8866",
        UnwatchRequest { watch: 0x6688aaccef102244 }
    );
    support::spelled!(
        UnwatchRequest,
        "170000009e5c1b69ffffffffffffffff",
        UnwatchRequest { watch: 0xffffffffffffffff }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(UnwatchRequest, "170000009e5c1b69442210efccaa8866", handles);
}

#[test]
fn checked_request_has_one_spelling() {
    support::spelled!(CheckedRequest, "180000009e5c1b69", CheckedRequest {});
    support::spelled!(CheckedRequest, "180000009e5c1b69", CheckedRequest {});
    support::spelled!(CheckedRequest, "180000009e5c1b69", CheckedRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(CheckedRequest, "180000009e5c1b69", handles);
}

#[test]
fn checked_reply_has_one_spelling() {
    support::spelled!(
        CheckedReply<'_>,
        "180000009e5c1b69 00*28",
        CheckedReply {
            keys: 0x0,
            pages: 0x0,
            lost: 0x0,
            unmapped: 0x0,
            damaged: 0x0,
            mended: 0x0,
            findings: support::text('f', 0),
        }
    );
    support::spelled!(
        CheckedReply<'_>,
        "180000009e5c1b699df751ac0685e8423bb024997ae24ab3f9c89868fc9937d50c447bb2 62*1024",
        CheckedReply {
            keys: 0x42e88506ac51f79d,
            pages: 0x9924b03b,
            lost: 0xb34ae27a,
            unmapped: 0x6898c8f9,
            damaged: 0xd53799fc,
            mended: 0xb27b440c,
            findings: support::text('b', 1024),
        }
    );
    support::spelled!(
        CheckedReply<'_>,
        "180000009e5c1b69 ff*28  66*2048",
        CheckedReply {
            keys: 0xffffffffffffffff,
            pages: 0xffffffff,
            lost: 0xffffffff,
            unmapped: 0xffffffff,
            damaged: 0xffffffff,
            mended: 0xffffffff,
            findings: support::text('f', 2048),
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        CheckedReply<'_>,
        "180000009e5c1b699df751ac0685e8423bb024997ae24ab3f9c89868fc9937d50c447bb2 62*1024",
        handles
    );
    support::flawed!(
        CheckedReply<'_>,
        "180000009e5c1b699df751ac0685e8423bb024997ae24ab3f9c89868fc9937d50c447bb2 62*1024",
        handles,
        36,
        &[255],
        "findings is not UTF-8"
    );
}

#[test]
fn dismiss_request_has_one_spelling() {
    support::spelled!(DismissRequest, "190000009e5c1b69", DismissRequest {});
    support::spelled!(DismissRequest, "190000009e5c1b69", DismissRequest {});
    support::spelled!(DismissRequest, "190000009e5c1b69", DismissRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(DismissRequest, "190000009e5c1b69", handles);
}

#[test]
fn salvage_request_has_one_spelling() {
    support::spelled!(
        SalvageRequest<'_>,
        "1a0000009e5c1b69",
        SalvageRequest { after: support::text('k', 0) }
    );
    support::spelled!(
        SalvageRequest<'_>,
        "1a0000009e5c1b69 6b*128",
        SalvageRequest { after: support::text('k', 128) }
    );
    support::spelled!(
        SalvageRequest<'_>,
        "1a0000009e5c1b69 6b*255",
        SalvageRequest { after: support::text('k', 255) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(SalvageRequest<'_>, "1a0000009e5c1b69 6b*128", handles);
    support::flawed!(SalvageRequest<'_>, "1a0000009e5c1b69 6b*128", handles, 8, &[255], "after is not UTF-8");
}

#[test]
fn salvage_reply_has_one_spelling() {
    support::spelled!(
        SalvageReply<'_>,
        "1a0000009e5c1b69 00*25",
        SalvageReply {
            stat: Stat { length: 0x0, version: 0x0, owner: 0x0 },
            found: false,
            path: support::text('z', 0),
        }
    );
    support::spelled!(
        SalvageReply<'_>,
        "1a0000009e5c1b6913cf8a4610e09b5736aa1d9140dc4fc38d6c4b2a0000000001 6a*128",
        SalvageReply {
            stat: Stat { length: 0x579be010468acf13, version: 0xc34fdc40911daa36, owner: 0x2a4b6c8d },
            found: true,
            path: support::text('j', 128),
        }
    );
    support::spelled!(
        SalvageReply<'_>,
        "1a0000009e5c1b69 ff*20 0000000001 7a*255",
        SalvageReply {
            stat: Stat { length: 0xffffffffffffffff, version: 0xffffffffffffffff, owner: 0xffffffff },
            found: true,
            path: support::text('z', 255),
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        SalvageReply<'_>,
        "1a0000009e5c1b6913cf8a4610e09b5736aa1d9140dc4fc38d6c4b2a0000000001 6a*128",
        handles
    );
    support::flawed!(
        SalvageReply<'_>,
        "1a0000009e5c1b6913cf8a4610e09b5736aa1d9140dc4fc38d6c4b2a0000000001 6a*128",
        handles,
        28,
        &[1],
        "padding in stat"
    );
    support::flawed!(
        SalvageReply<'_>,
        "1a0000009e5c1b6913cf8a4610e09b5736aa1d9140dc4fc38d6c4b2a0000000001 6a*128",
        handles,
        32,
        &[2],
        "found is neither 0 nor 1"
    );
    support::flawed!(
        SalvageReply<'_>,
        "1a0000009e5c1b6913cf8a4610e09b5736aa1d9140dc4fc38d6c4b2a0000000001 6a*128",
        handles,
        33,
        &[255],
        "path is not UTF-8"
    );
}

#[test]
fn salvaged_request_has_one_spelling() {
    support::spelled!(
        SalvagedRequest<'_>,
        "1b0000009e5c1b690000000000000000",
        SalvagedRequest { from: 0x0, path: support::text('f', 0) }
    );
    support::spelled!(
        SalvagedRequest<'_>,
        "1b0000009e5c1b692312807867564534 69*128",
        SalvagedRequest { from: 0x3445566778801223, path: support::text('i', 128) }
    );
    support::spelled!(
        SalvagedRequest<'_>,
        "1b0000009e5c1b69ffffffffffffffff 66*255",
        SalvagedRequest { from: 0xffffffffffffffff, path: support::text('f', 255) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(SalvagedRequest<'_>, "1b0000009e5c1b692312807867564534 69*128", handles);
    support::flawed!(
        SalvagedRequest<'_>,
        "1b0000009e5c1b692312807867564534 69*128",
        handles,
        16,
        &[255],
        "path is not UTF-8"
    );
}

#[test]
fn salvaged_reply_has_one_spelling() {
    support::spelled!(
        SalvagedReply<'_>,
        "1b0000009e5c1b69 00*24",
        SalvagedReply { stat: Stat { length: 0x0, version: 0x0, owner: 0x0 }, data: support::bytes(0x81, 0) }
    );
    support::spelled!(
        SalvagedReply<'_>,
        "1b0000009e5c1b698127cd72109036dc135ba2e9403c85cc47ce54db00000000 cf*1536",
        SalvagedReply {
            stat: Stat { length: 0xdc36901072cd2781, version: 0xcc853c40e9a25b13, owner: 0xdb54ce47 },
            data: support::bytes(0xcf, 1536),
        }
    );
    support::spelled!(
        SalvagedReply<'_>,
        "1b0000009e5c1b69 ff*20 00000000 81*3072",
        SalvagedReply {
            stat: Stat { length: 0xffffffffffffffff, version: 0xffffffffffffffff, owner: 0xffffffff },
            data: support::bytes(0x81, 3072),
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        SalvagedReply<'_>,
        "1b0000009e5c1b698127cd72109036dc135ba2e9403c85cc47ce54db00000000 cf*1536",
        handles
    );
    support::flawed!(
        SalvagedReply<'_>,
        "1b0000009e5c1b698127cd72109036dc135ba2e9403c85cc47ce54db00000000 cf*1536",
        handles,
        28,
        &[1],
        "padding in stat"
    );
}

#[test]
fn put_from_request_has_one_spelling() {
    support::spelled!(
        PutFromRequest<'_, FakeHandle>,
        "1c0000009e5c1b690000000000000000",
        PutFromRequest {
            durable: false,
            length: 0x0,
            memory: support::handle(Kind::Vmo, 0x400),
            path: support::text('f', 0),
        }
    );
    support::spelled!(
        PutFromRequest<'_, FakeHandle>,
        "1c0000009e5c1b69010000004a2610ff 6d*128",
        PutFromRequest {
            durable: true,
            length: 0xff10264a,
            memory: support::handle(Kind::Vmo, 0x400),
            path: support::text('m', 128),
        }
    );
    support::spelled!(
        PutFromRequest<'_, FakeHandle>,
        "1c0000009e5c1b6901000000ffffffff 66*255",
        PutFromRequest {
            durable: true,
            length: 0xffffffff,
            memory: support::handle(Kind::Vmo, 0x400),
            path: support::text('f', 255),
        }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Vmo, 0x400)];
    support::bounded!(PutFromRequest<'_, FakeHandle>, "1c0000009e5c1b69010000004a2610ff 6d*128", handles);
    support::flawed!(
        PutFromRequest<'_, FakeHandle>,
        "1c0000009e5c1b69010000004a2610ff 6d*128",
        handles,
        9,
        &[1],
        "padding"
    );
    support::flawed!(
        PutFromRequest<'_, FakeHandle>,
        "1c0000009e5c1b69010000004a2610ff 6d*128",
        handles,
        11,
        &[1],
        "padding"
    );
    support::flawed!(
        PutFromRequest<'_, FakeHandle>,
        "1c0000009e5c1b69010000004a2610ff 6d*128",
        handles,
        8,
        &[2],
        "durable is neither 0 nor 1"
    );
    support::flawed!(
        PutFromRequest<'_, FakeHandle>,
        "1c0000009e5c1b69010000004a2610ff 6d*128",
        handles,
        16,
        &[255],
        "path is not UTF-8"
    );
}

#[test]
fn put_from_reply_has_one_spelling() {
    support::spelled!(
        PutFromReply,
        "1c0000009e5c1b69 00*16",
        PutFromReply { receipt: Receipt { run: 0x0, generation: 0x0 } }
    );
    support::spelled!(
        PutFromReply,
        "1c0000009e5c1b69966432905f2dfbc839d16840db720aa2",
        PutFromReply { receipt: Receipt { run: 0xc8fb2d5f90326496, generation: 0xa20a72db4068d139 } }
    );
    support::spelled!(
        PutFromReply,
        "1c0000009e5c1b69 ff*16",
        PutFromReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(PutFromReply, "1c0000009e5c1b69966432905f2dfbc839d16840db720aa2", handles);
}

#[test]
fn get_into_request_has_one_spelling() {
    support::spelled!(
        GetIntoRequest<'_, FakeHandle>,
        "1d0000009e5c1b69 00*12",
        GetIntoRequest {
            from: 0x0,
            room: 0x0,
            memory: support::handle(Kind::Vmo, 0xc00),
            path: support::text('i', 0),
        }
    );
    support::spelled!(
        GetIntoRequest<'_, FakeHandle>,
        "1d0000009e5c1b69b462014af9a75605a8e50275 74*128",
        GetIntoRequest {
            from: 0x556a7f94a0162b4,
            room: 0x7502e5a8,
            memory: support::handle(Kind::Vmo, 0xc00),
            path: support::text('t', 128),
        }
    );
    support::spelled!(
        GetIntoRequest<'_, FakeHandle>,
        "1d0000009e5c1b69 ff*12  69*255",
        GetIntoRequest {
            from: 0xffffffffffffffff,
            room: 0xffffffff,
            memory: support::handle(Kind::Vmo, 0xc00),
            path: support::text('i', 255),
        }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Vmo, 0xc00)];
    support::bounded!(
        GetIntoRequest<'_, FakeHandle>,
        "1d0000009e5c1b69b462014af9a75605a8e50275 74*128",
        handles
    );
    support::flawed!(
        GetIntoRequest<'_, FakeHandle>,
        "1d0000009e5c1b69b462014af9a75605a8e50275 74*128",
        handles,
        20,
        &[255],
        "path is not UTF-8"
    );
}

#[test]
fn get_into_reply_has_one_spelling() {
    support::spelled!(
        GetIntoReply,
        "1d0000009e5c1b69 00*28",
        GetIntoReply { stat: Stat { length: 0x0, version: 0x0, owner: 0x0 }, length: 0x0 }
    );
    support::spelled!(
        GetIntoReply,
        "1d0000009e5c1b6997f24da90485e03b2fa61c9309cc42b961ce3aa700000000c8a07850",
        GetIntoReply {
            stat: Stat { length: 0x3be08504a94df297, version: 0xb942cc09931ca62f, owner: 0xa73ace61 },
            length: 0x5078a0c8,
        }
    );
    support::spelled!(
        GetIntoReply,
        "1d0000009e5c1b69 ff*20 00000000ffffffff",
        GetIntoReply {
            stat: Stat { length: 0xffffffffffffffff, version: 0xffffffffffffffff, owner: 0xffffffff },
            length: 0xffffffff,
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        GetIntoReply,
        "1d0000009e5c1b6997f24da90485e03b2fa61c9309cc42b961ce3aa700000000c8a07850",
        handles
    );
    support::flawed!(
        GetIntoReply,
        "1d0000009e5c1b6997f24da90485e03b2fa61c9309cc42b961ce3aa700000000c8a07850",
        handles,
        28,
        &[1],
        "padding in stat"
    );
}

#[test]
fn batch_from_request_has_one_spelling() {
    support::spelled!(
        BatchFromRequest<FakeHandle>,
        "1e0000009e5c1b690000000000000000",
        BatchFromRequest { durable: false, length: 0x0, memory: support::handle(Kind::Vmo, 0x400) }
    );
    support::spelled!(
        BatchFromRequest<FakeHandle>,
        "1e0000009e5c1b6900000000904840fa",
        BatchFromRequest { durable: false, length: 0xfa404890, memory: support::handle(Kind::Vmo, 0x400) }
    );
    support::spelled!(
        BatchFromRequest<FakeHandle>,
        "1e0000009e5c1b6901000000ffffffff",
        BatchFromRequest { durable: true, length: 0xffffffff, memory: support::handle(Kind::Vmo, 0x400) }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Vmo, 0x400)];
    support::bounded!(BatchFromRequest<FakeHandle>, "1e0000009e5c1b6900000000904840fa", handles);
    support::flawed!(
        BatchFromRequest<FakeHandle>,
        "1e0000009e5c1b6900000000904840fa",
        handles,
        9,
        &[1],
        "padding"
    );
    support::flawed!(
        BatchFromRequest<FakeHandle>,
        "1e0000009e5c1b6900000000904840fa",
        handles,
        11,
        &[1],
        "padding"
    );
    support::flawed!(
        BatchFromRequest<FakeHandle>,
        "1e0000009e5c1b6900000000904840fa",
        handles,
        8,
        &[2],
        "durable is neither 0 nor 1"
    );
}

#[test]
fn batch_from_reply_has_one_spelling() {
    support::spelled!(
        BatchFromReply,
        "1e0000009e5c1b69 00*16",
        BatchFromReply { receipt: Receipt { run: 0x0, generation: 0x0 } }
    );
    support::spelled!(
        BatchFromReply,
        "1e0000009e5c1b69966432905f2dfbc839d16840db720aa2",
        BatchFromReply { receipt: Receipt { run: 0xc8fb2d5f90326496, generation: 0xa20a72db4068d139 } }
    );
    support::spelled!(
        BatchFromReply,
        "1e0000009e5c1b69 ff*16",
        BatchFromReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(BatchFromReply, "1e0000009e5c1b69966432905f2dfbc839d16840db720aa2", handles);
}

#[test]
fn unlock_request_has_one_spelling() {
    support::spelled!(
        UnlockRequest<'_>,
        "200000009e5c1b69 00*56",
        UnlockRequest { least: 0x0, key: [0x0; 32], salt: [0x0; 16], prefix: support::text('o', 0) }
    );
    support::spelled!(
        UnlockRequest<'_>,
        "200000009e5c1b6900ca884706c58342 10*32 41c2040812244a97326ce9f327d0a34b 78*128",
        UnlockRequest {
            least: 0x4283c5064788ca00,
            key: [0x10; 32],
            salt: [
                0x41, 0xc2, 0x4, 0x8, 0x12, 0x24, 0x4a, 0x97, 0x32, 0x6c, 0xe9, 0xf3, 0x27, 0xd0, 0xa3, 0x4b
            ],
            prefix: support::text('x', 128),
        }
    );
    support::spelled!(
        UnlockRequest<'_>,
        "200000009e5c1b69 ff*56  6f*255",
        UnlockRequest {
            least: 0xffffffffffffffff,
            key: [0xff; 32],
            salt: [0xff; 16],
            prefix: support::text('o', 255),
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        UnlockRequest<'_>,
        "200000009e5c1b6900ca884706c58342 10*32 41c2040812244a97326ce9f327d0a34b 78*128",
        handles
    );
    support::flawed!(
        UnlockRequest<'_>,
        "200000009e5c1b6900ca884706c58342 10*32 41c2040812244a97326ce9f327d0a34b 78*128",
        handles,
        64,
        &[255],
        "prefix is not UTF-8"
    );
}

#[test]
fn unlock_reply_has_one_spelling() {
    support::spelled!(UnlockReply, "200000009e5c1b690000000000000000", UnlockReply { sequence: 0x0 });
    support::spelled!(
        UnlockReply,
        "200000009e5c1b69442210efccaa8866",
        UnlockReply { sequence: 0x6688aaccef102244 }
    );
    support::spelled!(
        UnlockReply,
        "200000009e5c1b69ffffffffffffffff",
        UnlockReply { sequence: 0xffffffffffffffff }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(UnlockReply, "200000009e5c1b69442210efccaa8866", handles);
}

#[test]
fn anchor_request_has_one_spelling() {
    support::spelled!(AnchorRequest<'_>, "210000009e5c1b69", AnchorRequest { prefix: support::text('k', 0) });
    support::spelled!(
        AnchorRequest<'_>,
        "210000009e5c1b69 6b*128",
        AnchorRequest { prefix: support::text('k', 128) }
    );
    support::spelled!(
        AnchorRequest<'_>,
        "210000009e5c1b69 6b*255",
        AnchorRequest { prefix: support::text('k', 255) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(AnchorRequest<'_>, "210000009e5c1b69 6b*128", handles);
    support::flawed!(AnchorRequest<'_>, "210000009e5c1b69 6b*128", handles, 8, &[255], "prefix is not UTF-8");
}

#[test]
fn anchor_reply_has_one_spelling() {
    support::spelled!(AnchorReply, "210000009e5c1b690000000000000000", AnchorReply { sequence: 0x0 });
    support::spelled!(
        AnchorReply,
        "210000009e5c1b69442210efccaa8866",
        AnchorReply { sequence: 0x6688aaccef102244 }
    );
    support::spelled!(
        AnchorReply,
        "210000009e5c1b69ffffffffffffffff",
        AnchorReply { sequence: 0xffffffffffffffff }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(AnchorReply, "210000009e5c1b69442210efccaa8866", handles);
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
    error: Option<Error>,
}

impl Server<FakeHandle> for Fixture {
    fn get(&mut self, sender: Sender, from: u64, path: Text<'_, 255>) -> Result<GetReply<'_>, Error> {
        self.calls += 1;
        let request = GetRequest { from, path };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, GetRequest { from: 0x3445566778801223, path: support::text('i', 128) });
        }
        self.error.map_or(
            Ok(GetReply {
                stat: Stat { length: 0xffffffffffffffff, version: 0xffffffffffffffff, owner: 0xffffffff },
                data: support::bytes(0x81, 3072),
            }),
            Err,
        )
    }

    fn stat(&mut self, sender: Sender, path: Text<'_, 255>) -> Result<StatReply, Error> {
        self.calls += 1;
        let request = StatRequest { path };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, StatRequest { path: support::text('k', 128) });
        }
        self.error.map_or(
            Ok(StatReply {
                stat: Stat { length: 0xffffffffffffffff, version: 0xffffffffffffffff, owner: 0xffffffff },
            }),
            Err,
        )
    }

    fn put(
        &mut self,
        sender: Sender,
        durable: bool,
        path: Text<'_, 255>,
        data: Bytes<'_, 3072>,
    ) -> Result<PutReply, Error> {
        self.calls += 1;
        let request = PutRequest { durable, path, data };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(
                request,
                PutRequest {
                    durable: false,
                    path: support::text('y', 128),
                    data: support::bytes(0xa3, 1536),
                }
            );
        }
        self.error.map_or(
            Ok(PutReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } }),
            Err,
        )
    }

    fn delete(&mut self, sender: Sender, path: Text<'_, 255>) -> Result<DeleteReply, Error> {
        self.calls += 1;
        let request = DeleteRequest { path };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, DeleteRequest { path: support::text('k', 128) });
        }
        self.error.map_or(
            Ok(DeleteReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } }),
            Err,
        )
    }

    fn rename(
        &mut self,
        sender: Sender,
        from: Text<'_, 255>,
        to: Text<'_, 255>,
    ) -> Result<RenameReply, Error> {
        self.calls += 1;
        let request = RenameRequest { from, to };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, RenameRequest { from: support::text('u', 128), to: support::text('i', 128) });
        }
        self.error.map_or(
            Ok(RenameReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } }),
            Err,
        )
    }

    fn batch(
        &mut self,
        sender: Sender,
        durable: bool,
        changes: Bytes<'_, 3584>,
    ) -> Result<BatchReply, Error> {
        self.calls += 1;
        let request = BatchRequest { durable, changes };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, BatchRequest { durable: false, changes: support::bytes(0x3b, 1792) });
        }
        self.error.map_or(
            Ok(BatchReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } }),
            Err,
        )
    }

    fn sync(&mut self, sender: Sender, receipt: Receipt) -> Result<(), Error> {
        self.calls += 1;
        let request = SyncRequest { receipt };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(
                request,
                SyncRequest { receipt: Receipt { run: 0xc8fb2d5f90326496, generation: 0xa20a72db4068d139 } }
            );
        }
        self.error.map_or(Ok(()), Err)
    }

    fn next(
        &mut self,
        sender: Sender,
        prefix: Text<'_, 255>,
        after: Text<'_, 255>,
    ) -> Result<NextReply<'_>, Error> {
        self.calls += 1;
        let request = NextRequest { prefix, after };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(
                request,
                NextRequest { prefix: support::text('u', 128), after: support::text('i', 128) }
            );
        }
        self.error.map_or(
            Ok(NextReply {
                stat: Stat { length: 0xffffffffffffffff, version: 0xffffffffffffffff, owner: 0xffffffff },
                found: true,
                path: support::text('z', 255),
            }),
            Err,
        )
    }

    fn usage(&mut self, sender: Sender) -> Result<UsageReply, Error> {
        self.calls += 1;
        let request = UsageRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, UsageRequest {});
        }
        self.error.map_or(
            Ok(UsageReply { used: 0xffffffffffffffff, soft: 0xffffffffffffffff, hard: 0xffffffffffffffff }),
            Err,
        )
    }

    fn snapshot(&mut self, sender: Sender, name: Text<'_, 32>) -> Result<(), Error> {
        self.calls += 1;
        let request = SnapshotRequest { name };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, SnapshotRequest { name: support::text('x', 16) });
        }
        self.error.map_or(Ok(()), Err)
    }

    fn restore(&mut self, sender: Sender, name: Text<'_, 32>) -> Result<(), Error> {
        self.calls += 1;
        let request = RestoreRequest { name };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, RestoreRequest { name: support::text('x', 16) });
        }
        self.error.map_or(Ok(()), Err)
    }

    fn forget(&mut self, sender: Sender, name: Text<'_, 32>) -> Result<(), Error> {
        self.calls += 1;
        let request = ForgetRequest { name };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, ForgetRequest { name: support::text('x', 16) });
        }
        self.error.map_or(Ok(()), Err)
    }

    fn health(&mut self, sender: Sender) -> Result<HealthReply, Error> {
        self.calls += 1;
        let request = HealthRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, HealthRequest {});
        }
        self.error.map_or(
            Ok(HealthReply {
                generation: 0xffffffffffffffff,
                safe: 0xffffffffffffffff,
                keys: 0xffffffffffffffff,
                pages: 0xffffffff,
                free: 0xffffffff,
                mended: 0xffffffff,
                lost: 0xffffffff,
                fault: 0xffff,
                store: [0xff; 16],
                flushes: 0xffffffffffffffff,
                written: 0xffffffffffffffff,
            }),
            Err,
        )
    }

    fn upload(&mut self, sender: Sender, length: u64, path: Text<'_, 255>) -> Result<UploadReply, Error> {
        self.calls += 1;
        let request = UploadRequest { length, path };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, UploadRequest { length: 0x3445566778801223, path: support::text('i', 128) });
        }
        self.error.map_or(Ok(UploadReply { upload: 0xffffffff }), Err)
    }

    fn more(&mut self, sender: Sender, upload: u32, data: Bytes<'_, 3072>) -> Result<(), Error> {
        self.calls += 1;
        let request = MoreRequest { upload, data };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, MoreRequest { upload: 0x576d04a7, data: support::bytes(0x91, 1536) });
        }
        self.error.map_or(Ok(()), Err)
    }

    fn publish(&mut self, sender: Sender, upload: u32) -> Result<PublishReply, Error> {
        self.calls += 1;
        let request = PublishRequest { upload };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, PublishRequest { upload: 0xcb6d01a3 });
        }
        self.error.map_or(
            Ok(PublishReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } }),
            Err,
        )
    }

    fn charge(&mut self, sender: Sender, from: u32) -> Result<ChargeReply, Error> {
        self.calls += 1;
        let request = ChargeRequest { from };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, ChargeRequest { from: 0xcb6d01a3 });
        }
        self.error.map_or(
            Ok(ChargeReply {
                service: 0xffffffff,
                used: 0xffffffffffffffff,
                soft: 0xffffffffffffffff,
                hard: 0xffffffffffffffff,
            }),
            Err,
        )
    }

    fn point(&mut self, sender: Sender, index: u8) -> Result<PointReply<'_>, Error> {
        self.calls += 1;
        let request = PointRequest { index };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, PointRequest { index: 0x28 });
        }
        self.error.map_or(Ok(PointReply { name: support::text('x', 32) }), Err)
    }

    fn check(&mut self, sender: Sender, mend: bool) -> Result<(), Error> {
        self.calls += 1;
        let request = CheckRequest { mend };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, CheckRequest { mend: false });
        }
        self.error.map_or(Ok(()), Err)
    }

    fn reset(&mut self, sender: Sender) -> Result<(), Error> {
        self.calls += 1;
        let request = ResetRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, ResetRequest {});
        }
        self.error.map_or(Ok(()), Err)
    }

    fn watch(
        &mut self,
        sender: Sender,
        news: Held<FakeHandle, kinds::Channel>,
        prefix: Text<'_, 255>,
    ) -> Result<WatchReply, Error> {
        self.calls += 1;
        let request = WatchRequest { news, prefix };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(
                request,
                WatchRequest { news: support::handle(Kind::Channel, 0x40), prefix: support::text('k', 128) }
            );
        }
        self.error.map_or(Ok(WatchReply { watch: 0xffffffffffffffff }), Err)
    }

    fn event(&mut self, sender: Sender, watch: u64) -> Result<EventReply<'_>, Error> {
        self.calls += 1;
        let request = EventRequest { watch };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, EventRequest { watch: 0x6688aaccef102244 });
        }
        self.error.map_or(Ok(EventReply { event: Event::Resync, path: support::text('m', 255) }), Err)
    }

    fn unwatch(&mut self, sender: Sender, watch: u64) -> Result<(), Error> {
        self.calls += 1;
        let request = UnwatchRequest { watch };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, UnwatchRequest { watch: 0x6688aaccef102244 });
        }
        self.error.map_or(Ok(()), Err)
    }

    fn checked(&mut self, sender: Sender) -> Result<CheckedReply<'_>, Error> {
        self.calls += 1;
        let request = CheckedRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, CheckedRequest {});
        }
        self.error.map_or(
            Ok(CheckedReply {
                keys: 0xffffffffffffffff,
                pages: 0xffffffff,
                lost: 0xffffffff,
                unmapped: 0xffffffff,
                damaged: 0xffffffff,
                mended: 0xffffffff,
                findings: support::text('f', 2048),
            }),
            Err,
        )
    }

    fn dismiss(&mut self, sender: Sender) -> Result<(), Error> {
        self.calls += 1;
        let request = DismissRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, DismissRequest {});
        }
        self.error.map_or(Ok(()), Err)
    }

    fn salvage(&mut self, sender: Sender, after: Text<'_, 255>) -> Result<SalvageReply<'_>, Error> {
        self.calls += 1;
        let request = SalvageRequest { after };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, SalvageRequest { after: support::text('k', 128) });
        }
        self.error.map_or(
            Ok(SalvageReply {
                stat: Stat { length: 0xffffffffffffffff, version: 0xffffffffffffffff, owner: 0xffffffff },
                found: true,
                path: support::text('z', 255),
            }),
            Err,
        )
    }

    fn salvaged(
        &mut self,
        sender: Sender,
        from: u64,
        path: Text<'_, 255>,
    ) -> Result<SalvagedReply<'_>, Error> {
        self.calls += 1;
        let request = SalvagedRequest { from, path };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, SalvagedRequest { from: 0x3445566778801223, path: support::text('i', 128) });
        }
        self.error.map_or(
            Ok(SalvagedReply {
                stat: Stat { length: 0xffffffffffffffff, version: 0xffffffffffffffff, owner: 0xffffffff },
                data: support::bytes(0x81, 3072),
            }),
            Err,
        )
    }

    fn put_from(
        &mut self,
        sender: Sender,
        durable: bool,
        length: u32,
        memory: Held<FakeHandle, kinds::Vmo>,
        path: Text<'_, 255>,
    ) -> Result<PutFromReply, Error> {
        self.calls += 1;
        let request = PutFromRequest { durable, length, memory, path };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(
                request,
                PutFromRequest {
                    durable: true,
                    length: 0xff10264a,
                    memory: support::handle(Kind::Vmo, 0x400),
                    path: support::text('m', 128),
                }
            );
        }
        self.error.map_or(
            Ok(PutFromReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } }),
            Err,
        )
    }

    fn get_into(
        &mut self,
        sender: Sender,
        from: u64,
        room: u32,
        memory: Held<FakeHandle, kinds::Vmo>,
        path: Text<'_, 255>,
    ) -> Result<GetIntoReply, Error> {
        self.calls += 1;
        let request = GetIntoRequest { from, room, memory, path };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(
                request,
                GetIntoRequest {
                    from: 0x556a7f94a0162b4,
                    room: 0x7502e5a8,
                    memory: support::handle(Kind::Vmo, 0xc00),
                    path: support::text('t', 128),
                }
            );
        }
        self.error.map_or(
            Ok(GetIntoReply {
                stat: Stat { length: 0xffffffffffffffff, version: 0xffffffffffffffff, owner: 0xffffffff },
                length: 0xffffffff,
            }),
            Err,
        )
    }

    fn batch_from(
        &mut self,
        sender: Sender,
        durable: bool,
        length: u32,
        memory: Held<FakeHandle, kinds::Vmo>,
    ) -> Result<BatchFromReply, Error> {
        self.calls += 1;
        let request = BatchFromRequest { durable, length, memory };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(
                request,
                BatchFromRequest {
                    durable: false,
                    length: 0xfa404890,
                    memory: support::handle(Kind::Vmo, 0x400),
                }
            );
        }
        self.error.map_or(
            Ok(BatchFromReply {
                receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff },
            }),
            Err,
        )
    }

    fn unlock(
        &mut self,
        sender: Sender,
        least: u64,
        key: [u8; 32],
        salt: [u8; 16],
        prefix: Text<'_, 255>,
    ) -> Result<UnlockReply, Error> {
        self.calls += 1;
        let request = UnlockRequest { least, key, salt, prefix };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(
                request,
                UnlockRequest {
                    least: 0x4283c5064788ca00,
                    key: [0x10; 32],
                    salt: [
                        0x41, 0xc2, 0x4, 0x8, 0x12, 0x24, 0x4a, 0x97, 0x32, 0x6c, 0xe9, 0xf3, 0x27, 0xd0,
                        0xa3, 0x4b
                    ],
                    prefix: support::text('x', 128),
                }
            );
        }
        self.error.map_or(Ok(UnlockReply { sequence: 0xffffffffffffffff }), Err)
    }

    fn anchor(&mut self, sender: Sender, prefix: Text<'_, 255>) -> Result<AnchorReply, Error> {
        self.calls += 1;
        let request = AnchorRequest { prefix };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, AnchorRequest { prefix: support::text('k', 128) });
        }
        self.error.map_or(Ok(AnchorReply { sequence: 0xffffffffffffffff }), Err)
    }
}

#[test]
fn every_operation_arrives_and_its_answer_returns() {
    let fixture = Fixture { strict: true, ..Fixture::default() };
    let mut server = fixture;
    let mut client = Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
    assert_eq!(
        client.get(0x3445566778801223, support::text('i', 128)),
        Ok(GetReply {
            stat: Stat { length: 0xffffffffffffffff, version: 0xffffffffffffffff, owner: 0xffffffff },
            data: support::bytes(0x81, 3072),
        })
    );
    assert_eq!(
        client.stat(support::text('k', 128)),
        Ok(StatReply {
            stat: Stat { length: 0xffffffffffffffff, version: 0xffffffffffffffff, owner: 0xffffffff },
        })
    );
    assert_eq!(
        client.put(false, support::text('y', 128), support::bytes(0xa3, 1536)),
        Ok(PutReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } })
    );
    assert_eq!(
        client.delete(support::text('k', 128)),
        Ok(DeleteReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } })
    );
    assert_eq!(
        client.rename(support::text('u', 128), support::text('i', 128)),
        Ok(RenameReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } })
    );
    assert_eq!(
        client.batch(false, support::bytes(0x3b, 1792)),
        Ok(BatchReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } })
    );
    assert_eq!(client.sync(Receipt { run: 0xc8fb2d5f90326496, generation: 0xa20a72db4068d139 }), Ok(()));
    assert_eq!(
        client.next(support::text('u', 128), support::text('i', 128)),
        Ok(NextReply {
            stat: Stat { length: 0xffffffffffffffff, version: 0xffffffffffffffff, owner: 0xffffffff },
            found: true,
            path: support::text('z', 255),
        })
    );
    assert_eq!(
        client.usage(),
        Ok(UsageReply { used: 0xffffffffffffffff, soft: 0xffffffffffffffff, hard: 0xffffffffffffffff })
    );
    assert_eq!(client.snapshot(support::text('x', 16)), Ok(()));
    assert_eq!(client.restore(support::text('x', 16)), Ok(()));
    assert_eq!(client.forget(support::text('x', 16)), Ok(()));
    assert_eq!(
        client.health(),
        Ok(HealthReply {
            generation: 0xffffffffffffffff,
            safe: 0xffffffffffffffff,
            keys: 0xffffffffffffffff,
            pages: 0xffffffff,
            free: 0xffffffff,
            mended: 0xffffffff,
            lost: 0xffffffff,
            fault: 0xffff,
            store: [0xff; 16],
            flushes: 0xffffffffffffffff,
            written: 0xffffffffffffffff,
        })
    );
    assert_eq!(
        client.upload(0x3445566778801223, support::text('i', 128)),
        Ok(UploadReply { upload: 0xffffffff })
    );
    assert_eq!(client.more(0x576d04a7, support::bytes(0x91, 1536)), Ok(()));
    assert_eq!(
        client.publish(0xcb6d01a3),
        Ok(PublishReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } })
    );
    assert_eq!(
        client.charge(0xcb6d01a3),
        Ok(ChargeReply {
            service: 0xffffffff,
            used: 0xffffffffffffffff,
            soft: 0xffffffffffffffff,
            hard: 0xffffffffffffffff,
        })
    );
    assert_eq!(client.point(0x28), Ok(PointReply { name: support::text('x', 32) }));
    assert_eq!(client.check(false), Ok(()));
    assert_eq!(client.reset(), Ok(()));
    assert_eq!(
        client.watch(support::handle(Kind::Channel, 0x40), support::text('k', 128)),
        Ok(WatchReply { watch: 0xffffffffffffffff })
    );
    assert_eq!(
        client.event(0x6688aaccef102244),
        Ok(EventReply { event: Event::Resync, path: support::text('m', 255) })
    );
    assert_eq!(client.unwatch(0x6688aaccef102244), Ok(()));
    assert_eq!(
        client.checked(),
        Ok(CheckedReply {
            keys: 0xffffffffffffffff,
            pages: 0xffffffff,
            lost: 0xffffffff,
            unmapped: 0xffffffff,
            damaged: 0xffffffff,
            mended: 0xffffffff,
            findings: support::text('f', 2048),
        })
    );
    assert_eq!(client.dismiss(), Ok(()));
    assert_eq!(
        client.salvage(support::text('k', 128)),
        Ok(SalvageReply {
            stat: Stat { length: 0xffffffffffffffff, version: 0xffffffffffffffff, owner: 0xffffffff },
            found: true,
            path: support::text('z', 255),
        })
    );
    assert_eq!(
        client.salvaged(0x3445566778801223, support::text('i', 128)),
        Ok(SalvagedReply {
            stat: Stat { length: 0xffffffffffffffff, version: 0xffffffffffffffff, owner: 0xffffffff },
            data: support::bytes(0x81, 3072),
        })
    );
    assert_eq!(
        client.put_from(true, 0xff10264a, support::handle(Kind::Vmo, 0x400), support::text('m', 128)),
        Ok(PutFromReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } })
    );
    assert_eq!(
        client.get_into(
            0x556a7f94a0162b4,
            0x7502e5a8,
            support::handle(Kind::Vmo, 0xc00),
            support::text('t', 128)
        ),
        Ok(GetIntoReply {
            stat: Stat { length: 0xffffffffffffffff, version: 0xffffffffffffffff, owner: 0xffffffff },
            length: 0xffffffff,
        })
    );
    assert_eq!(
        client.batch_from(false, 0xfa404890, support::handle(Kind::Vmo, 0x400)),
        Ok(BatchFromReply { receipt: Receipt { run: 0xffffffffffffffff, generation: 0xffffffffffffffff } })
    );
    assert_eq!(
        client.unlock(
            0x4283c5064788ca00,
            [0x10; 32],
            [0x41, 0xc2, 0x4, 0x8, 0x12, 0x24, 0x4a, 0x97, 0x32, 0x6c, 0xe9, 0xf3, 0x27, 0xd0, 0xa3, 0x4b],
            support::text('x', 128)
        ),
        Ok(UnlockReply { sequence: 0xffffffffffffffff })
    );
    assert_eq!(client.anchor(support::text('k', 128)), Ok(AnchorReply { sequence: 0xffffffffffffffff }));
    assert_eq!(server.calls, 32);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn every_error_returns_from_every_call() {
    for &error in Error::ALL {
        let fixture = Fixture { error: Some(error), ..Fixture::default() };
        let mut server = fixture;
        let mut client =
            Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
        assert_eq!(client.get(0x0, support::text('f', 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.stat(support::text('k', 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(
            client.put(false, support::text('k', 0), support::bytes(0x11, 0)).map(|_| ()),
            Err(CallError::Service(error))
        );
        assert_eq!(client.delete(support::text('k', 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(
            client.rename(support::text('u', 0), support::text('i', 0)).map(|_| ()),
            Err(CallError::Service(error))
        );
        assert_eq!(client.batch(false, support::bytes(0x99, 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(
            client.sync(Receipt { run: 0x0, generation: 0x0 }).map(|_| ()),
            Err(CallError::Service(error))
        );
        assert_eq!(
            client.next(support::text('u', 0), support::text('i', 0)).map(|_| ()),
            Err(CallError::Service(error))
        );
        assert_eq!(client.usage().map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.snapshot(support::text('x', 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.restore(support::text('x', 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.forget(support::text('x', 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.health().map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.upload(0x0, support::text('f', 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.more(0x0, support::bytes(0xa7, 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.publish(0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.charge(0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.point(0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.check(false).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.reset().map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(
            client.watch(support::handle(Kind::Channel, 0x40), support::text('k', 0)).map(|_| ()),
            Err(CallError::Service(error))
        );
        assert_eq!(client.event(0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.unwatch(0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.checked().map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.dismiss().map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.salvage(support::text('k', 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.salvaged(0x0, support::text('f', 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(
            client.put_from(false, 0x0, support::handle(Kind::Vmo, 0x400), support::text('f', 0)).map(|_| ()),
            Err(CallError::Service(error))
        );
        assert_eq!(
            client.get_into(0x0, 0x0, support::handle(Kind::Vmo, 0xc00), support::text('i', 0)).map(|_| ()),
            Err(CallError::Service(error))
        );
        assert_eq!(
            client.batch_from(false, 0x0, support::handle(Kind::Vmo, 0x400)).map(|_| ()),
            Err(CallError::Service(error))
        );
        assert_eq!(
            client.unlock(0x0, [0x0; 32], [0x0; 16], support::text('o', 0)).map(|_| ()),
            Err(CallError::Service(error))
        );
        assert_eq!(client.anchor(support::text('k', 0)).map(|_| ()), Err(CallError::Service(error)));
    }
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn get_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.get(0x0, support::text('f', 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn stat_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.stat(support::text('k', 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn put_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(
        client.put(false, support::text('k', 0), support::bytes(0x11, 0)).map(|_| ()),
        Err(CallError::ServerDied)
    );
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn delete_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.delete(support::text('k', 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn rename_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(
        client.rename(support::text('u', 0), support::text('i', 0)).map(|_| ()),
        Err(CallError::ServerDied)
    );
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn batch_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.batch(false, support::bytes(0x99, 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn sync_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.sync(Receipt { run: 0x0, generation: 0x0 }).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn next_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(
        client.next(support::text('u', 0), support::text('i', 0)).map(|_| ()),
        Err(CallError::ServerDied)
    );
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn usage_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.usage().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn snapshot_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.snapshot(support::text('x', 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn restore_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.restore(support::text('x', 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn forget_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.forget(support::text('x', 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn health_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.health().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn upload_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.upload(0x0, support::text('f', 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn more_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.more(0x0, support::bytes(0xa7, 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn publish_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.publish(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn charge_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.charge(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn point_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.point(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn check_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.check(false).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn reset_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.reset().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn watch_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(
        client.watch(support::handle(Kind::Channel, 0x40), support::text('k', 0)).map(|_| ()),
        Err(CallError::ServerDied)
    );
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn event_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.event(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn unwatch_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.unwatch(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn checked_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.checked().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn dismiss_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.dismiss().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn salvage_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.salvage(support::text('k', 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn salvaged_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.salvaged(0x0, support::text('f', 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn put_from_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(
        client.put_from(false, 0x0, support::handle(Kind::Vmo, 0x400), support::text('f', 0)).map(|_| ()),
        Err(CallError::ServerDied)
    );
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn get_into_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(
        client.get_into(0x0, 0x0, support::handle(Kind::Vmo, 0xc00), support::text('i', 0)).map(|_| ()),
        Err(CallError::ServerDied)
    );
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn batch_from_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(
        client.batch_from(false, 0x0, support::handle(Kind::Vmo, 0x400)).map(|_| ()),
        Err(CallError::ServerDied)
    );
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn unlock_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(
        client.unlock(0x0, [0x0; 32], [0x0; 16], support::text('o', 0)).map(|_| ()),
        Err(CallError::ServerDied)
    );
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn anchor_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.anchor(support::text('k', 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[
        ("010000009e5c1b690000000000000000", &[]),
        ("010000009e5c1b692312807867564534 69*128", &[]),
        ("020000009e5c1b69", &[]),
        ("020000009e5c1b69 6b*128", &[]),
        ("030000009e5c1b69 00*260", &[]),
        ("030000009e5c1b6900008000 79*128  00*128  a3*1536", &[]),
        ("040000009e5c1b69", &[]),
        ("040000009e5c1b69 6b*128", &[]),
        ("050000009e5c1b69 00*258", &[]),
        ("050000009e5c1b698000 75*128  00*128  69*128", &[]),
        ("060000009e5c1b6900", &[]),
        ("060000009e5c1b6900 3b*1792", &[]),
        ("070000009e5c1b69 00*16", &[]),
        ("070000009e5c1b69966432905f2dfbc839d16840db720aa2", &[]),
        ("080000009e5c1b69 00*258", &[]),
        ("080000009e5c1b698000 75*128  00*128  69*128", &[]),
        ("090000009e5c1b69", &[]),
        ("090000009e5c1b69", &[]),
        ("0a0000009e5c1b69", &[]),
        ("0a0000009e5c1b69 78*16", &[]),
        ("0b0000009e5c1b69", &[]),
        ("0b0000009e5c1b69 78*16", &[]),
        ("0c0000009e5c1b69", &[]),
        ("0c0000009e5c1b69 78*16", &[]),
        ("0d0000009e5c1b69", &[]),
        ("0d0000009e5c1b69", &[]),
        ("0e0000009e5c1b690000000000000000", &[]),
        ("0e0000009e5c1b692312807867564534 69*128", &[]),
        ("0f0000009e5c1b6900000000", &[]),
        ("0f0000009e5c1b69a7046d57 91*1536", &[]),
        ("100000009e5c1b6900000000", &[]),
        ("100000009e5c1b69a3016dcb", &[]),
        ("110000009e5c1b6900000000", &[]),
        ("110000009e5c1b69a3016dcb", &[]),
        ("120000009e5c1b6900", &[]),
        ("120000009e5c1b6928", &[]),
        ("130000009e5c1b6900", &[]),
        ("130000009e5c1b6900", &[]),
        ("140000009e5c1b69", &[]),
        ("140000009e5c1b69", &[]),
        ("150000009e5c1b69", &[(Kind::Channel, 0x40)]),
        ("150000009e5c1b69 6b*128", &[(Kind::Channel, 0x40)]),
        ("160000009e5c1b690000000000000000", &[]),
        ("160000009e5c1b69442210efccaa8866", &[]),
        ("170000009e5c1b690000000000000000", &[]),
        ("170000009e5c1b69442210efccaa8866", &[]),
        ("180000009e5c1b69", &[]),
        ("180000009e5c1b69", &[]),
        ("190000009e5c1b69", &[]),
        ("190000009e5c1b69", &[]),
        ("1a0000009e5c1b69", &[]),
        ("1a0000009e5c1b69 6b*128", &[]),
        ("1b0000009e5c1b690000000000000000", &[]),
        ("1b0000009e5c1b692312807867564534 69*128", &[]),
        ("1c0000009e5c1b690000000000000000", &[(Kind::Vmo, 0x400)]),
        ("1c0000009e5c1b69010000004a2610ff 6d*128", &[(Kind::Vmo, 0x400)]),
        ("1d0000009e5c1b69 00*12", &[(Kind::Vmo, 0xc00)]),
        ("1d0000009e5c1b69b462014af9a75605a8e50275 74*128", &[(Kind::Vmo, 0xc00)]),
        ("1e0000009e5c1b690000000000000000", &[(Kind::Vmo, 0x400)]),
        ("1e0000009e5c1b6900000000904840fa", &[(Kind::Vmo, 0x400)]),
        ("200000009e5c1b69 00*56", &[]),
        ("200000009e5c1b6900ca884706c58342 10*32 41c2040812244a97326ce9f327d0a34b 78*128", &[]),
        ("210000009e5c1b69", &[]),
        ("210000009e5c1b69 6b*128", &[]),
    ];
    let mut server = Fixture::default();
    let mut handled = 0;
    support::storm(seeds, REQUEST_ROOM, |sender, packet| {
        let before = server.calls;
        let outcome = dispatch(&mut server, sender, packet);
        let reached = server.calls - before;
        match outcome {
            Outcome::Taken => assert_eq!(reached, 1),
            Outcome::Answered => assert!(reached <= 1),
            Outcome::Kept => panic!("nothing was promised"),
            Outcome::Dropped => assert_eq!(reached, 0),
            Outcome::Refused => assert!(reached <= 1),
        }
        handled += reached;
        outcome
    });
    assert!(handled > 0, "the storm holds whole messages too");
}

#[test]
fn damaged_answers_are_faults() {
    support::answer_storm(
        ("010000009e5c1b698127cd72109036dc135ba2e9403c85cc47ce54db00000000 cf*1536", &[]),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.get(0x0, support::text('f', 0)) {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(
        ("020000009e5c1b6909c7844210d08d4b229a118940bc33ab654c331a00000000", &[]),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.stat(support::text('k', 0)) {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(("030000009e5c1b69966432905f2dfbc839d16840db720aa2", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.put(false, support::text('k', 0), support::bytes(0x11, 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("040000009e5c1b69966432905f2dfbc839d16840db720aa2", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.delete(support::text('k', 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("050000009e5c1b69966432905f2dfbc839d16840db720aa2", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.rename(support::text('u', 0), support::text('i', 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("060000009e5c1b69966432905f2dfbc839d16840db720aa2", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.batch(false, support::bytes(0x99, 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("070000009e5c1b69", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.sync(Receipt { run: 0x0, generation: 0x0 }) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(
        ("080000009e5c1b6913cf8a4610e09b5736aa1d9140dc4fc38d6c4b2a0000000001 6a*128", &[]),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.next(support::text('u', 0), support::text('i', 0)) {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(
        ("090000009e5c1b6909c7844210d08d4b229a118940bc33ab654c331ac1b0977e", &[]),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.usage() {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(("0a0000009e5c1b69", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.snapshot(support::text('x', 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("0b0000009e5c1b69", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.restore(support::text('x', 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("0c0000009e5c1b69", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.forget(support::text('x', 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(
        (
            "0d0000009e5c1b691866b390e3307ecb3dd46a41e37910a793b8ddc2fe23496e5791cb050e63b70bde46af173e8fdf2f81210b276f1fbf80020a1e51cce87225cea3000000000000526f8ca9c6e31035bcf2285f95cb4186",
            &[],
        ),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.health() {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(("0e0000009e5c1b69a3016dcb", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.upload(0x0, support::text('f', 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("0f0000009e5c1b69", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.more(0x0, support::bytes(0xa7, 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("100000009e5c1b69966432905f2dfbc839d16840db720aa2", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.publish(0x0) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(
        ("110000009e5c1b699b49f7a4000000004ba3fa51a9409df4c0660db45ac17219d00d4b88c5025693", &[]),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.charge(0x0) {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(("120000009e5c1b69 78*16", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.point(0x0) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("130000009e5c1b69", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.check(false) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("140000009e5c1b69", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.reset() {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("150000009e5c1b69442210efccaa8866", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.watch(support::handle(Kind::Channel, 0x40), support::text('k', 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("160000009e5c1b6901 69*128", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.event(0x0) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("170000009e5c1b69", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.unwatch(0x0) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(
        ("180000009e5c1b699df751ac0685e8423bb024997ae24ab3f9c89868fc9937d50c447bb2 62*1024", &[]),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.checked() {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(("190000009e5c1b69", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.dismiss() {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(
        ("1a0000009e5c1b6913cf8a4610e09b5736aa1d9140dc4fc38d6c4b2a0000000001 6a*128", &[]),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.salvage(support::text('k', 0)) {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(
        ("1b0000009e5c1b698127cd72109036dc135ba2e9403c85cc47ce54db00000000 cf*1536", &[]),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.salvaged(0x0, support::text('f', 0)) {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(("1c0000009e5c1b69966432905f2dfbc839d16840db720aa2", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.put_from(false, 0x0, support::handle(Kind::Vmo, 0x400), support::text('f', 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(
        ("1d0000009e5c1b6997f24da90485e03b2fa61c9309cc42b961ce3aa700000000c8a07850", &[]),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.get_into(0x0, 0x0, support::handle(Kind::Vmo, 0xc00), support::text('i', 0)) {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(("1e0000009e5c1b69966432905f2dfbc839d16840db720aa2", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.batch_from(false, 0x0, support::handle(Kind::Vmo, 0x400)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("200000009e5c1b69442210efccaa8866", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.unlock(0x0, [0x0; 32], [0x0; 16], support::text('o', 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("210000009e5c1b69442210efccaa8866", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.anchor(support::text('k', 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
}
