//! Writing the table. Same source, same bytes: the order is that of the source, and nothing else gets in.

use std::vec;
use std::vec::Vec;

use super::graph::all_edges;
use super::source::{Model, ProcessModel};
use crate::table::{ANNOUNCES, CRITICAL, EDGE, HEADER, PROCESS, SERVICE};
use crate::{MAGIC, Registry, RegistryError, VERSION};

#[derive(Default)]
struct Text(Vec<u8>);

impl Text {
    /// Offset and length of `text`, which is stored once.
    fn place(&mut self, text: &str) -> Result<[u8; 4], RegistryError> {
        let bytes = text.as_bytes();
        let found = self.0.windows(bytes.len().max(1)).position(|window| window == bytes);
        let offset = match found {
            _ if bytes.is_empty() => 0,
            Some(offset) => offset,
            None => {
                self.0.extend_from_slice(bytes);
                self.0.len() - bytes.len()
            }
        };
        let part = |number| u16::try_from(number).map_err(|_| RegistryError::BadCount);
        let [a, b] = part(offset)?.to_le_bytes();
        let [c, d] = part(bytes.len())?.to_le_bytes();
        Ok([a, b, c, d])
    }
}

pub(super) fn table(model: &Model) -> Result<Vec<u8>, RegistryError> {
    let mut text = Text::default();
    let mut processes = Vec::new();
    let mut services = Vec::new();
    let mut service_names = Vec::new();
    let mut edges = Vec::new();
    for (index, process) in model.processes.iter().enumerate() {
        processes.extend(process_record(process, &mut text)?);
        for service in &process.provides {
            services.extend(text.place(&service.value)?);
            services.extend((index as u16).to_le_bytes());
            services.extend([0; 2]);
            service_names.push(service.value.as_str());
        }
    }
    for (client, service, _, kind) in all_edges(model) {
        let index =
            service_names.iter().position(|name| *name == service.value).ok_or(RegistryError::BadEdge(0))?;
        for field in [client as u16, index as u16, kind as u16, 0] {
            edges.extend(field.to_le_bytes());
        }
    }

    let mut table = vec![0; HEADER];
    table[..8].copy_from_slice(&MAGIC);
    let counts = [
        VERSION,
        model.processes.len() as u32,
        (services.len() / SERVICE) as u32,
        (edges.len() / EDGE) as u32,
        text.0.len() as u32,
    ];
    for (slot, count) in table[8..28].chunks_exact_mut(4).zip(counts) {
        slot.copy_from_slice(&count.to_le_bytes());
    }
    for part in [processes, services, edges, text.0] {
        table.extend(part);
    }
    Registry::parse(&table)?;
    Ok(table)
}

fn process_record(process: &ProcessModel, text: &mut Text) -> Result<[u8; PROCESS], RegistryError> {
    let mut raw = [0; PROCESS];
    let names = [&process.name, &process.authority, &process.program, &process.args];
    for (slot, name) in raw.chunks_exact_mut(4).zip(names) {
        slot.copy_from_slice(&text.place(&name.value)?);
    }
    raw[16..20].copy_from_slice(&process.id.value.to_le_bytes());
    raw[20..24].copy_from_slice(&process.pages.value.to_le_bytes());
    raw[24..28].copy_from_slice(&process.grant_bits().bits().to_le_bytes());
    raw[28..32].copy_from_slice(&process.backoff_ms.to_le_bytes());
    raw[32..34].copy_from_slice(&process.cpu.value.to_le_bytes());
    raw[34..36].copy_from_slice(&process.handles.value.to_le_bytes());
    raw[36..38].copy_from_slice(&process.max_restarts.to_le_bytes());
    raw[38] = process.priority.value;
    raw[39] = process.restart.value as u8;
    raw[40] = process.start.value as u8;
    raw[41] = if process.critical { CRITICAL } else { 0 } | if process.ready { ANNOUNCES } else { 0 };
    Ok(raw)
}
