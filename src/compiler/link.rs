//! Makes an image of a module and its machine code: lays out the text, resolves every call in it, and writes the
//! metadata.

use super::call_tables::ENTRY;
use super::module::{ElementItems, Module};
use super::unit::{Assembled, Code, Needs, Scratch, Symbol, trampoline_name};
use super::{Env, layout, of_host, stubs, trampoline, unwind};
use crate::error::{Error, Result};
use crate::image::flat::{NONE, Span, Str, append, append_text};
use crate::image::frame::Cpu;
use crate::image::signature::Signatures;
use crate::image::{
    CallSite, CodeRange, ConstExpr, ConstOp, DataSegment, DebugSection, ElementSegment, EntrySite,
    Export, ExternKind, FrameRules, FuncName, GlobalRecord, GlueRange, Handler, HandlerSite,
    Header, Image, Import, Place, Sections, SegmentMode, TableRecord, Trampoline, TrampolineKind,
    TrapSite, TypeRecord, ValType,
};
use cranelift_codegen::TextSectionBuilder;
use cranelift_codegen::ir::Endianness;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Display;

/// The most bytes of text. Offsets in an image have 32 bits, and calls reach no further.
const MAX_TEXT: u64 = 1 << 31;

/// Links a module's functions and the trampolines that they need.
pub fn link(env: &Env<'_>, funcs: Vec<Assembled>) -> Result<(Image, Vec<u8>)> {
    let mut needs = Needs::default();
    for func in &funcs {
        needs.exits.extend(&func.needs.exits);
        needs.traps.extend(&func.needs.traps);
        needs.stub_traps.extend(&func.needs.stub_traps);
        needs.called_types.extend(&func.needs.called_types);
        needs.written_memories.extend(&func.needs.written_memories);
    }
    let called_types = needs.called_types.iter().copied();
    let written_memories = std::mem::take(&mut needs.written_memories);
    let passes_exceptions = env.module.passes_exceptions(called_types);
    let trampolines = trampolines(env, needs)?;

    let mut sections = Sections::default();
    let mut text = Text::new(env, &funcs, &trampolines);
    text.lay_out(&funcs, &trampolines, &mut sections)?;
    text.place_rules(&mut sections)?;
    let landing = text.landing.unwrap_or(NONE);
    let call_tables = text.call_tables(env, &sections)?.unwrap_or(NONE);
    let align = text.align;
    let text = text.builder.finish(&mut Default::default());
    if text.len() as u64 > MAX_TEXT {
        return Err(too_large());
    }

    let machine = &env.target.machine;
    module(env.module, &mut sections)?;
    let mut code_section = 0;
    if env.target.debug_info() && !env.module.debug.is_empty() {
        code_section = env.module.code_section;
        for (name, bytes) in &env.module.debug {
            sections.debug.push(DebugSection {
                name: append_text(&mut sections.bytes, name.as_bytes())?,
                bytes: append(&mut sections.bytes, bytes.iter().copied())?,
            });
        }
    }
    sections.written_imports = written_imports(env.module, written_memories);
    for feature in machine.cpu_features() {
        let feature = append_text(&mut sections.bytes, feature.as_bytes())?;
        sections.cpu_features.push(feature);
    }
    let header = Header {
        magic: Default::default(),
        version: Default::default(),
        format: 0,
        checksum: 0,
        align,
        metadata_len: 0,
        text_len: text.len() as u64,
        shape: env.module.shape(&env.call_tables),
        start: env.module.start.unwrap_or(NONE),
        passes_exceptions: u32::from(passes_exceptions),
        faults: u32::from(env.target.faults()),
        interruption: u32::from(env.target.interruption()),
        fuel: u32::from(env.target.fuel()),
        memory_moves: u32::from(env.target.memory_moves()),
        landing,
        call_tables,
        code_section,
        triple: append_text(&mut sections.bytes, machine.triple().as_bytes())?,
    };
    Ok((Image::new(header, sections)?, text))
}

/// The code between wasm and C that a module needs, in a fixed order.
#[derive(Default)]
struct Trampolines {
    /// Those that the image lists by type and kind. Where a trampoline has a frame check, the check is listed.
    by_type: Vec<(u32, TrampolineKind, Code)>,
    /// Those that compiled code calls: exit trampolines, and trampolines that have a frame check.
    called: Vec<(Symbol, Code)>,
    /// What call tables have for imported functions.
    imports: Vec<(u32, Code)>,
    /// Where faults go on, if traps are faults.
    landing: Option<Code>,
    /// What the system calls to unwind an entry trampoline, where it wants that in the text.
    unwinding: Option<Code>,
}

fn trampolines(env: &Env<'_>, mut needs: Needs) -> Result<Trampolines> {
    use TrampolineKind as K;
    let module = env.module;
    let mut scratch = Scratch::new();
    let mut all = Trampolines::default();
    let canonical = |func: u32| env.canonical[module.funcs[func as usize] as usize];
    // The types of functions that the host can enter, and the types of functions that may be the host's.
    let entered: BTreeSet<u32> = module
        .escaping
        .iter()
        .map(|&func| canonical(func))
        .collect();
    let mut hosted: BTreeSet<u32> = (0..module.imported_funcs).map(canonical).collect();
    hosted.extend(&needs.called_types);
    for &ty in hosted.union(&entered) {
        env.watch.look()?;
        // C functions cannot check references that are not null or of one function type, so such types have no typed
        // entry.
        let typed = module.types[ty as usize].is_plain();
        for (kind, wanted) in [
            (K::BoxedEntry, entered.contains(&ty)),
            (K::TypedEntry, entered.contains(&ty) && typed),
            // The host can make a boxed function of any type. If the type has an entry, the host calls that function
            // through it, too, so that the function needs code which wasm can call.
            (K::BoxedHost, true),
            (K::TypedHost, hosted.contains(&ty) && typed),
        ] {
            if !wanted {
                continue;
            }
            let (code, check) = trampoline::compile(env, &mut scratch, ty, kind)?;
            match check {
                None => all.by_type.push((ty, kind, code)),
                Some(check) => {
                    needs.exits.insert(trampoline::overflow_exit(env));
                    all.by_type.push((ty, kind, check));
                    all.called.push((Symbol::Trampoline(ty, kind), code));
                }
            }
        }
    }
    for &builtin in &needs.exits {
        let code = trampoline::exit(env, &mut scratch, builtin)?;
        all.called.push((Symbol::Exit(builtin), code));
    }
    for &trap in &needs.traps {
        let code = trampoline::trap(env, &mut scratch, trap)?;
        all.called.push((Symbol::Trap(trap), code));
    }
    for &(trap, slot) in &needs.stub_traps {
        let code = stubs::exit(trap, slot);
        all.called.push((Symbol::StubTrap(trap, slot), code));
    }
    for func in env.call_tables.imports(module) {
        let code = trampoline::import(env, &mut scratch, func)?;
        all.imports.push((func, code));
    }
    if env.target.faults() {
        all.landing = Some(trampoline::landing(env, &mut scratch)?);
    }
    let code = all.by_type.iter().map(|(_, _, code)| code);
    let mut code = code.chain(all.called.iter().map(|(_, code)| code));
    if code.any(|code| code.entry.is_some()) {
        if env.target.unwinds_as_windows() {
            all.unwinding = Some(trampoline::unwinding(env, &mut scratch)?);
        }
        all.called.extend(of_host::called(env));
    }
    Ok(all)
}

fn too_large() -> Error {
    Error::limit("the module's machine code is larger than 2 GiB")
}

/// The text while it is laid out: functions in the order of their indices, then the functions that have a frame check,
/// then the code between wasm and C.
struct Text {
    builder: Box<dyn TextSectionBuilder>,
    least_align: u32,
    align: u32,
    /// Where the code is that call tables have for imported functions, once it is laid out.
    imports: HashMap<u32, u32>,
    /// Where the landing of faults is, likewise.
    landing: Option<u32>,
    /// Where rules are by which frames are unwound.
    rules: HashMap<Vec<u8>, Span<u8>>,
    /// Whether there are any for all code.
    is_unwound: bool,
    /// The rules that will be in the text, behind all code; none where they are not.
    rules_in_text: Option<Vec<u8>>,
    /// Where the code is that the system calls to unwind an entry trampoline, once it is laid out.
    unwinding: u32,
    cpu: &'static Cpu,
    /// The label number of each symbol. Labels are numbered in the order in which labeled code is appended.
    labels: HashMap<Symbol, usize>,
}

impl Text {
    fn new(env: &Env<'_>, funcs: &[Assembled], trampolines: &Trampolines) -> Text {
        let own = funcs.iter().map(|func| Symbol::Func(func.index));
        let checked = funcs.iter().filter(|func| func.frame_check.is_some());
        let bodies = checked.map(|func| Symbol::Body(func.index));
        let called = trampolines.called.iter().map(|(symbol, _)| *symbol);
        let labels: HashMap<Symbol, usize> = own.chain(bodies).chain(called).zip(0..).collect();
        let isa = env.target.isa();
        Text {
            builder: isa.text_section_builder(labels.len()),
            least_align: isa.function_alignment().preferred,
            align: 16,
            imports: HashMap::new(),
            landing: None,
            rules: HashMap::new(),
            is_unwound: true,
            rules_in_text: env.target.unwinds_as_windows().then(Vec::new),
            unwinding: NONE,
            cpu: env.target.cpu(),
            labels,
        }
    }

    fn lay_out(
        &mut self,
        funcs: &[Assembled],
        trampolines: &Trampolines,
        sections: &mut Sections,
    ) -> Result<()> {
        for func in funcs {
            let code = func.frame_check.as_ref().unwrap_or(&func.code);
            let entry = self.func(func.index, code, sections)?;
            sections.entries.push(entry);
        }
        for func in funcs.iter().filter(|func| func.frame_check.is_some()) {
            self.func(func.index, &func.code, sections)?;
        }
        if let Some(code) = &trampolines.unwinding {
            self.unwinding = self.append(false, code)?;
            self.glue(self.unwinding, code, &"handler of unwinding", sections)?;
        }
        for (symbol, code) in &trampolines.called {
            let offset = self.append(true, code)?;
            enters(offset, code, sections);
            self.glue(offset, code, &symbol.name(), sections)?;
        }
        for (func, code) in &trampolines.imports {
            let offset = self.append(false, code)?;
            self.imports.insert(*func, offset);
            self.glue(
                offset,
                code,
                &format_args!("imported function {func}"),
                sections,
            )?;
        }
        if let Some(code) = &trampolines.landing {
            let offset = self.append(false, code)?;
            self.landing = Some(offset);
            self.glue(offset, code, &"landing of faults", sections)?;
        }
        for (ty, kind, code) in &trampolines.by_type {
            let offset = self.append(false, code)?;
            enters(offset, code, sections);
            self.glue(offset, code, &trampoline_name(*ty, *kind), sections)?;
            sections.trampolines.push(Trampoline {
                ty: *ty,
                kind: *kind,
                offset,
            });
        }
        Ok(())
    }

    /// Appends the rules by which frames are unwound, where they are in the text, and says so; lists none if some are missing.
    fn place_rules(&mut self, sections: &mut Sections) -> Result<()> {
        if !self.is_unwound {
            sections.frame_rules.clear();
        }
        if let Some(rules) = self.rules_in_text.take() {
            let start = self.put(&rules, size_of::<u32>() as u32)?;
            for frame in &mut sections.frame_rules {
                frame.rules.start += start;
            }
        }
        Ok(())
    }

    /// Appends bytes that are no code; gives their offset.
    fn put(&mut self, bytes: &[u8], align: u32) -> Result<u32> {
        let start = self
            .builder
            .append(false, bytes, align, &mut Default::default());
        match start + bytes.len() as u64 > MAX_TEXT {
            true => Err(too_large()),
            false => Ok(start as u32),
        }
    }

    /// Appends the call tables, if there are any; gives their offset.
    fn call_tables(&mut self, env: &Env<'_>, sections: &Sections) -> Result<Option<u32>> {
        if env.call_tables.is_empty() {
            return Ok(None);
        }
        let module = env.module;
        // Where they start is known when they are appended, so nothing is, first.
        let start = self.put(&[], ENTRY)?;
        let ty = |func: u32| env.canonical[module.funcs[func as usize] as usize];
        let imports = &self.imports;
        let code = |func: u32| match func.checked_sub(module.imported_funcs) {
            Some(own) => sections.entries[own as usize],
            None => imports[&func],
        };
        let is_big = env.target.isa().endianness() == Endianness::Big;
        let bytes = env.call_tables.entries(start, ty, code).into_iter();
        let bytes: Vec<u8> = bytes
            .flat_map(|number| match is_big {
                true => number.to_be_bytes(),
                false => number.to_le_bytes(),
            })
            .collect();
        self.put(&bytes, 1)?;
        Ok(Some(start))
    }

    /// Lists how frames of code that has been appended are unwound, where that is another way than just before.
    fn unwound(&mut self, start: u32, code: &Code, sections: &mut Sections) -> Result<()> {
        let rules = match self.rules_in_text {
            Some(_) => Some(unwind::unwind_info(code, self.unwinding).unwrap_or_default()),
            None => unwind::rules(self.cpu, code),
        };
        let Some(rules) = rules else {
            self.is_unwound = false;
            return Ok(());
        };
        let rules = match self.rules.entry(rules) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let section = self.rules_in_text.as_mut().unwrap_or(&mut sections.bytes);
                let rules = append(section, new.key().iter().copied())?;
                *new.insert(rules)
            }
        };
        let last = sections.frame_rules.last();
        if last.is_none_or(|last| last.rules != rules) {
            sections.frame_rules.push(FrameRules { start, rules });
        }
        Ok(())
    }

    /// Lists code between wasm and C that has been appended.
    fn glue(
        &mut self,
        start: u32,
        code: &Code,
        name: &dyn Display,
        sections: &mut Sections,
    ) -> Result<()> {
        self.unwound(start, code, sections)?;
        let name = append_text(&mut sections.bytes, name.to_string().as_bytes())?;
        let end = start + code.bytes.len() as u32;
        sections.glue.push(GlueRange { start, end, name });
        Ok(())
    }

    /// Appends a function's code, its call sites and its handlers; gives the code's offset.
    fn func(&mut self, func: u32, code: &Code, sections: &mut Sections) -> Result<u32> {
        let start = self.append(true, code)?;
        self.unwound(start, code, sections)?;
        sections.code_ranges.push(CodeRange {
            start,
            end: start + code.bytes.len() as u32,
            func,
        });
        let sites = code.call_sites.iter();
        sections.call_sites.extend(sites.map(|site| CallSite {
            returns_to: start + site.returns_to,
            ..*site
        }));
        // Where the function before ends, and this one begins at once, is one place.
        if code.places.first().is_some_and(|first| first.at == 0) {
            sections.places.pop_if(|last| last.at == start);
        }
        let places = code.places.iter();
        sections.places.extend(places.map(|place| Place {
            at: start + place.at,
            ..*place
        }));
        let sites = code.traps.iter();
        sections.trap_sites.extend(sites.map(|site| TrapSite {
            at: start + site.at,
            ..*site
        }));
        for site in &code.catches {
            let handlers = site.handlers.iter().map(|&(catch, at)| Handler {
                catch,
                lands_at: start + at,
            });
            sections.handler_sites.push(HandlerSite {
                returns_to: start + site.returns_to,
                frame: site.frame,
                context: site.context,
                handlers: append(&mut sections.handlers, handlers)?,
            });
        }
        Ok(start)
    }

    /// Appends code and resolves its calls; gives its offset. `labeled` code is what a symbol stands for.
    fn append(&mut self, labeled: bool, code: &Code) -> Result<u32> {
        let mut control = Default::default();
        let mut align = code.align.max(self.least_align);
        if let Some(start) = code.start {
            // What comes before has no label, and nothing goes there.
            let before = vec![0; start as usize];
            let line = align.max(layout::LINE);
            self.builder.append(false, &before, line, &mut control);
            self.align = self.align.max(line);
            align = 1;
        }
        self.align = self.align.max(align);
        let offset = self
            .builder
            .append(labeled, &code.bytes, align, &mut control);
        if offset + code.bytes.len() as u64 > MAX_TEXT {
            return Err(too_large());
        }
        for reloc in &code.relocs {
            let place = offset + u64::from(reloc.offset);
            let label = self.labels.get(&reloc.symbol);
            let resolved = label.is_some_and(|&label| {
                self.builder
                    .resolve_reloc(place, reloc.kind, reloc.addend, label)
            });
            if !resolved {
                return Err(Error::internal(format_args!(
                    "the relocation {:?} to {:?} cannot be resolved inside the image; this is a defect of Inlay",
                    reloc.kind, reloc.symbol
                )));
            }
        }
        Ok(offset as u32)
    }
}

/// The imported memories among those that the code writes and those that a segment is copied to at instantiation.
fn written_imports(module: &Module<'_>, mut written: BTreeSet<u32>) -> Vec<u32> {
    let segments = module.data.iter();
    let active = segments.filter(|segment| segment.mode == SegmentMode::Active);
    written.extend(active.map(|segment| segment.memory));
    let imported = written.range(..module.imported_memories);
    imported.copied().collect()
}

/// Lists the call of an entry trampoline.
fn enters(start: u32, code: &Code, sections: &mut Sections) {
    sections
        .entry_sites
        .extend(code.entry.iter().map(|site| EntrySite {
            returns_to: start + site.returns_to,
            ..*site
        }));
}

/// Writes all sections but those of the code.
fn module(module: &Module<'_>, s: &mut Sections) -> Result<()> {
    let texts = types(module, s)?;
    let mut counts = [0; ExternKind::ALL.len()];
    for import in &module.imports {
        let count = &mut counts[import.kind as usize];
        s.imports.push(Import {
            module: append_text(&mut s.bytes, import.module.as_bytes())?,
            name: append_text(&mut s.bytes, import.name.as_bytes())?,
            kind: import.kind,
            index: *count,
        });
        *count += 1;
    }
    for export in &module.exports {
        s.exports.push(Export {
            name: append_text(&mut s.bytes, export.name.as_bytes())?,
            kind: export.kind,
            index: export.index,
        });
    }
    s.exports_by_name = (0..module.exports.len() as u32).collect();
    s.exports_by_name
        .sort_by_key(|&i| module.exports[i as usize].name.as_bytes());
    s.funcs = module.funcs.clone();
    s.memories = module.memories.clone();
    s.tags = module.tags.clone();
    s.escaping = module.escaping.clone();
    for (i, &ty) in module.tables.iter().enumerate() {
        let defined = i.checked_sub(module.imported_tables as usize);
        let init = defined.map_or(Ok(ConstExpr::EMPTY), |i| {
            const_expr(module, &module.table_inits[i], &mut s.const_ops)
        })?;
        let element_text = texts[&ValType::Ref(ty.element)];
        s.tables.push(TableRecord {
            ty,
            init,
            element_text,
        });
    }
    for (i, &ty) in module.globals.iter().enumerate() {
        let defined = i.checked_sub(module.imported_globals as usize);
        let init = defined.map_or(Ok(ConstExpr::EMPTY), |i| {
            const_expr(module, &module.global_inits[i], &mut s.const_ops)
        })?;
        let content_text = texts[&ty.content];
        s.globals.push(GlobalRecord {
            ty,
            init,
            content_text,
        });
    }
    segments(module, s)?;
    for (func, name) in &module.names {
        s.func_names.push(FuncName {
            func: *func,
            name: append_text(&mut s.bytes, name.as_bytes())?,
        });
    }
    Ok(())
}

/// Writes the function types. Gives the texts of the types that globals and tables have.
fn types(module: &Module<'_>, s: &mut Sections) -> Result<HashMap<ValType, Str>> {
    // The recursion group of each type: its first type, and how many types it has.
    let mut first = 0;
    let groups = module.rec_groups.iter().flat_map(|&len| {
        let group = (first, len);
        first += len;
        std::iter::repeat_n(group, len as usize)
    });
    let groups: Vec<(u32, u32)> = groups.collect();
    let alone = |index: u32| {
        let (_, len) = groups[index as usize];
        (len == 1).then(|| module.types[index as usize].clone())
    };
    let signatures = Signatures { types: alone };
    let empty = append_text(&mut s.bytes, b"")?;

    let indices = |kind: ExternKind| match kind {
        ExternKind::Func => &module.funcs[..],
        ExternKind::Tag => &module.tags[..],
        _ => &[],
    };
    let exports = module.exports.iter();
    let exported = exports.filter_map(|e| indices(e.kind).get(e.index as usize));
    let imported = module.funcs.iter().take(module.imported_funcs as usize);
    let tags = module.tags.iter().take(module.imported_tags as usize);
    let written: BTreeSet<u32> = exported.chain(imported).chain(tags).copied().collect();

    for (ty, index) in module.types.iter().zip(0..) {
        let (group, group_len) = groups[index as usize];
        let signature = match written.contains(&index) {
            true => {
                let text = signatures.text(ty, (group_len == 1).then_some(index))?;
                append_text(&mut s.bytes, text.as_bytes())?
            }
            false => empty,
        };
        s.types.push(TypeRecord {
            params: append(&mut s.values, ty.params.iter().copied())?,
            results: append(&mut s.values, ty.results.iter().copied())?,
            group,
            group_len,
            signature,
        });
    }

    let mut texts = HashMap::new();
    let globals = module.globals.iter().map(|global| global.content);
    let elements = module
        .tables
        .iter()
        .map(|table| ValType::Ref(table.element));
    for ty in globals.chain(elements) {
        if let Entry::Vacant(place) = texts.entry(ty) {
            let text = signatures.value_text(ty)?;
            place.insert(append_text(&mut s.bytes, text.as_bytes())?);
        }
    }
    Ok(texts)
}

/// Writes a constant expression. Its `ref.func` then holds a slot, not an index.
fn const_expr(module: &Module<'_>, expr: &[ConstOp], ops: &mut Vec<ConstOp>) -> Result<ConstExpr> {
    let mut by_slot = Vec::with_capacity(expr.len());
    for &op in expr {
        by_slot.push(match op {
            ConstOp::RefFunc(func) => ConstOp::RefFunc(slot(module, func)?),
            other => other,
        });
    }
    append(ops, by_slot)
}

fn slot(module: &Module<'_>, func: u32) -> Result<u32> {
    let slot = module.func_ref_slot(func);
    slot.ok_or_else(|| Error::internal(format_args!("function {func} escapes and has no slot")))
}

fn segments(module: &Module<'_>, s: &mut Sections) -> Result<()> {
    for segment in &module.elements {
        let offset = const_expr(module, &segment.offset, &mut s.const_ops)?;
        let (mut slots, mut exprs) = (Span::EMPTY, Span::EMPTY);
        match &segment.items {
            ElementItems::Funcs(list) => {
                let list: Result<Vec<u32>> = list.iter().map(|&func| slot(module, func)).collect();
                slots = append(&mut s.element_slots, list?)?;
            }
            ElementItems::Exprs(list) => {
                let mut spans = Vec::with_capacity(list.len());
                for expr in list {
                    spans.push(const_expr(module, expr, &mut s.const_ops)?);
                }
                exprs = append(&mut s.element_exprs, spans)?;
            }
        }
        s.elements.push(ElementSegment {
            mode: segment.mode,
            table: segment.table,
            offset,
            slots,
            exprs,
        });
    }
    for segment in &module.data {
        let offset = const_expr(module, &segment.offset, &mut s.const_ops)?;
        s.data.push(DataSegment {
            mode: segment.mode,
            memory: segment.memory,
            offset,
            bytes: append(&mut s.bytes, segment.bytes.iter().copied())?,
        });
    }
    Ok(())
}
