//! Writing the table. Same source, same bytes: the order is that of the source, and nothing else gets in.

use std::string::String;
use std::vec;
use std::vec::Vec;

use super::graph::all_edges;
use super::partitions::{args, share};
use super::source::{At, DeviceModel, Model, ProcessModel};
use crate::device::DEVICE;
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
    let mut devices = Vec::new();
    for (index, process) in model.processes.iter().enumerate() {
        processes.extend(process_record(model, process, &mut text)?);
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

    for device in &model.devices {
        devices.extend(device_record(device, &mut text)?);
    }

    let mut table = vec![0; HEADER];
    table[..8].copy_from_slice(&MAGIC);
    let counts = [
        VERSION,
        model.processes.len() as u32,
        (services.len() / SERVICE) as u32,
        (edges.len() / EDGE) as u32,
        text.0.len() as u32,
        (devices.len() / DEVICE) as u32,
    ];
    for (slot, count) in table[8..32].chunks_exact_mut(4).zip(counts) {
        slot.copy_from_slice(&count.to_le_bytes());
    }
    for part in [processes, services, edges, devices, text.0] {
        table.extend(part);
    }
    Registry::parse(&table)?;
    Ok(table)
}

fn process_record(
    model: &Model,
    process: &ProcessModel,
    text: &mut Text,
) -> Result<[u8; PROCESS], RegistryError> {
    let mut raw = [0; PROCESS];
    let args = args(model, process);
    let names = [&process.name.value, &process.authority.value, &process.program.value, &args];
    for (slot, name) in raw.chunks_exact_mut(4).zip(names) {
        slot.copy_from_slice(&text.place(name)?);
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
    let place = |name: &At<String>| model.devices.iter().position(|device| device.name.value == name.value);
    let device = process.device.as_ref().and_then(place).map_or(0, |place| place as u16 + 1);
    raw[42..44].copy_from_slice(&device.to_le_bytes());
    let asked = process.may_request.iter().filter_map(place).fold(0u32, |all, place| all | 1 << place);
    raw[44..48].copy_from_slice(&asked.to_le_bytes());
    if let Some((device, pages)) = share(model, process) {
        raw[48..52].copy_from_slice(&pages.to_le_bytes());
        raw[52..54].copy_from_slice(&(device as u16 + 1).to_le_bytes());
    }
    raw[41] = if process.critical { CRITICAL } else { 0 } | if process.ready { ANNOUNCES } else { 0 };
    Ok(raw)
}

fn device_record(device: &DeviceModel, text: &mut Text) -> Result<[u8; DEVICE], RegistryError> {
    let mut raw = [0; DEVICE];
    raw[..4].copy_from_slice(&text.place(&device.name.value)?);
    let compatible = device.compatible.as_ref().map_or("", |compatible| &compatible.value);
    raw[4..8].copy_from_slice(&text.place(compatible)?);
    raw[8..10].copy_from_slice(&device.virtio.as_ref().map_or(0, |virtio| virtio.value).to_le_bytes());
    raw[10..12].copy_from_slice(&device.index.to_le_bytes());
    raw[12..16].copy_from_slice(&device.pool_pages.value.to_le_bytes());
    raw[16..18].copy_from_slice(&device.pool_vmos.value.to_le_bytes());
    raw[20..24].copy_from_slice(&device.window_pages.value.to_le_bytes());
    Ok(raw)
}
