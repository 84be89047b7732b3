//! CLIF to machine code.

use super::Env;
use super::exception::exception_sites;
use super::islands;
use super::layout;
use super::of_host;
use super::shorten;
use super::stubs::Stubs;
use super::trap::{is_hint, trap_of};
use super::unit::{Assembled, Code, Reloc, Scratch, Symbol, Unit};
use super::unwind::{self, Frame};
use crate::error::{Error, ErrorKind, Result};
use crate::image::{CallSite, Place, TrapSite};
use cranelift_codegen::ir;
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_codegen::settings::OptLevel;
use cranelift_codegen::{CodegenError, FinalizedMachReloc, FinalizedRelocTarget};
use std::fmt::Display;
use std::ops::Range;

/// Frames beyond this are refused: no stack that wasm may use is so large.
const MAX_FRAME: u32 = 1 << 28;

/// Machine code of a function.
pub fn unit(env: &Env<'_>, scratch: &mut Scratch, mut unit: Unit) -> Result<Assembled> {
    let isa = env.target.assembler(unit.effort);
    scratch.load(unit.clif);
    let what = format_args!("function {}", unit.index);
    let code = context(env, isa, scratch, &unit.stubs, &what)?;
    let called = code.relocs.iter().filter_map(|reloc| match reloc.symbol {
        Symbol::StubTrap(trap, slot) => Some((trap, slot)),
        _ => None,
    });
    unit.needs.stub_traps.extend(called);
    Ok(Assembled {
        index: unit.index,
        start: unit.start,
        code,
        frame_check: None,
        needs: unit.needs,
    })
}

/// Machine code of what is in the context.
pub fn context(
    env: &Env<'_>,
    isa: &dyn TargetIsa,
    scratch: &mut Scratch,
    stubs: &Stubs,
    what: &dyn Display,
) -> Result<Code> {
    let context = &mut scratch.context;
    if let Err(error) = context.compile(isa, &mut Default::default()) {
        return Err(codegen_error(&error.inner, what));
    }
    let compiled = context.take_compiled_code().expect("it was just compiled");
    let buffer = &compiled.buffer;
    let mut relocs = Vec::new();
    for found in buffer.relocs() {
        relocs.push(reloc(&context.func, found, what)?);
    }
    let locations = buffer.get_srclocs_sorted();
    let wasm_offset = |at: u32| {
        let after = locations.partition_point(|location| location.start <= at);
        let location = &locations[after.checked_sub(1)?];
        (at < location.end && !location.loc.is_default()).then(|| location.loc.bits())
    };
    let places = match env.target.debug_info() {
        true => places_of(
            locations
                .iter()
                .map(|l| (l.start..l.end, stubs.place(l.loc))),
        ),
        false => Vec::new(),
    };
    // A call is the instruction before the address that it returns to. Of an instruction that faults, what goes on is told
    // that it was called from the byte behind the first one, where no call returns to.
    let calls = buffer
        .call_sites()
        .map(|site| (site.ret_addr, site.ret_addr - 1));
    let mut traps = Vec::new();
    if env.target.faults() {
        for found in buffer.traps() {
            if let Some(trap) = trap_of(found.code)
                && !is_hint(env, trap)
            {
                traps.push(TrapSite {
                    at: found.offset,
                    trap: trap as u32,
                });
            }
        }
        traps.sort_by_key(|site| site.at);
        traps.dedup_by_key(|site| site.at);
    }
    let returning_to = calls.chain(traps.iter().map(|site| (site.at + 1, site.at)));
    let mut bytes = compiled.code_buffer().to_vec();
    let (mut call_sites, returning) = stubs.append(&compiled, &mut bytes, &mut relocs, what)?;
    let sites = returning_to.filter_map(|(returns_to, at)| {
        Some(CallSite {
            returns_to,
            wasm_offset: wasm_offset(at)?,
        })
    });
    call_sites.extend(sites);
    call_sites.sort_by_key(|site| site.returns_to);
    let (catches, entry) = exception_sites(buffer, what)?;
    let frame = buffer.frame_layout().map_or(0, |f| f.frame_to_fp_offset);
    if frame > MAX_FRAME {
        return Err(Error::limit(format_args!(
            "{what} needs a stack frame of {frame} bytes"
        )));
    }
    let of_host = entry.is_some().then(|| of_host::place(env, buffer));
    let unwind = Frame {
        prologue: buffer.unwind_info.to_vec(),
        kept: of_host.flatten(),
        returns: Vec::new(),
    };
    let align = buffer.alignment;
    let mut code = Code {
        align,
        start: None,
        relocs,
        returning,
        call_sites,
        places,
        traps,
        catches,
        entry,
        frame,
        unwind,
        bytes,
    };
    let mut loops = layout::innermost_loops(&layout::Blocks {
        starts: &compiled.bb_starts,
        edges: &compiled.bb_edges,
        len: compiled.code_buffer().len() as u32,
    });
    // What a setting for tests puts between blocks is no code, and who wants no optimizer wants to wait less.
    let flags = env.target.isa().flags();
    let readable = env.target.is_x86_64() && flags.bb_padding_log2_minus_one() == 0;
    if readable && flags.opt_level() != OptLevel::None {
        let charges = env.target.has_fuel_register();
        let understood = shorten::shorten(&mut code, &compiled.bb_starts, &mut loops, charges);
        debug_assert!(understood.is_some(), "{what} is not understood");
    }
    if env.target.is_riscv64() {
        islands::straighten(&mut code.bytes, &compiled.bb_starts);
    }
    // Behind what C calls is C, whose frame pointer may be anything: what unwinds where it returns must know that.
    if context.func.signature.call_conv != CallConv::Tail {
        code.unwind.returns = unwind::returns(env.target.cpu(), &code.bytes);
    }
    code.start = layout::start(&loops, align.max(isa.function_alignment().minimum));
    Ok(code)
}

/// Where code begins that is of another place in the wasm than what is before it.
fn places_of(locations: impl Iterator<Item = (Range<u32>, ir::SourceLoc)>) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    let mut add = |at, wasm_offset| match places.last_mut() {
        Some(last) if last.wasm_offset == wasm_offset => {}
        Some(last) if last.at == at => last.wasm_offset = wasm_offset,
        _ => places.push(Place { at, wasm_offset }),
    };
    for (range, loc) in locations {
        let known = Some(loc).filter(|loc| !loc.is_default());
        add(range.start, known.map_or(0, |loc| loc.bits()));
        add(range.end, 0);
    }
    places
}

/// Nothing but calls inside the image may need a relocation.
fn reloc(func: &ir::Function, found: &FinalizedMachReloc, what: &dyn Display) -> Result<Reloc> {
    let symbol = match &found.target {
        FinalizedRelocTarget::ExternalName(ir::ExternalName::User(name)) => {
            Symbol::from_external_name(&func.params.user_named_funcs()[*name])
        }
        _ => None,
    };
    let symbol = symbol.ok_or_else(|| {
        Error::internal(format_args!(
            "{what} has a relocation {:?} to {} that an image cannot hold; this is a defect of Inlay",
            found.kind,
            found.target.display(Some(&func.params))
        ))
    })?;
    Ok(Reloc {
        offset: found.offset,
        kind: found.kind,
        addend: found.addend,
        symbol,
    })
}

/// Cranelift's error as ours.
pub fn codegen_error(error: &CodegenError, what: &dyn Display) -> Error {
    let kind = match error {
        CodegenError::CodeTooLarge | CodegenError::ImplLimitExceeded => ErrorKind::Limit,
        CodegenError::Unsupported(_) => ErrorKind::Unsupported,
        _ => ErrorKind::Internal,
    };
    Error::new(kind, format_args!("cannot compile {what}: {error}"))
}
