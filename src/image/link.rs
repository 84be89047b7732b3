//! Lays out text: every call is resolved in place, or the image is refused.

use super::{CodeRange, HandlerSite, Image, Trampoline, TrampolineKind};
use crate::compile::{Code, Symbol};
use crate::error::{Error, ErrorKind, Result};
use crate::module::Module;
use crate::target::Target;
use cranelift_codegen::isa::TargetIsa;
use std::collections::HashMap;

/// Collects code and lays it out: functions first, in index order.
pub struct Linker<'a> {
    isa: &'a dyn TargetIsa,
    funcs: Vec<(u32, Code)>,
    /// What else is called, with the function that it is part of, if it is.
    labeled: Vec<(Option<u32>, Symbol, Code)>,
    trampolines: Vec<(u32, TrampolineKind, Code)>,
}

/// Text larger than this would not fit the 32-bit offsets of an image, nor calls' reach.
const MAX_TEXT: u64 = 1 << 31;

impl<'a> Linker<'a> {
    pub fn new(isa: &'a dyn TargetIsa, funcs: usize) -> Self {
        Linker {
            isa,
            funcs: Vec::with_capacity(funcs),
            labeled: Vec::new(),
            trampolines: Vec::new(),
        }
    }

    pub fn func(&mut self, func: u32, code: Code) {
        self.funcs.push((func, code));
    }

    pub fn labeled(&mut self, func: Option<u32>, symbol: Symbol, code: Code) {
        self.labeled.push((func, symbol, code));
    }

    pub fn trampoline(&mut self, ty: u32, kind: TrampolineKind, code: Code) {
        self.trampolines.push((ty, kind, code));
    }

    /// Lays out the text and gives the image.
    pub fn finish(self, target: &Target, module: Module) -> Result<Image> {
        let symbols = self.funcs.iter().map(|(i, _)| Symbol::Func(*i));
        let symbols = symbols.chain(self.labeled.iter().map(|(_, symbol, _)| *symbol));
        let labels: HashMap<Symbol, usize> = symbols.zip(0..).collect();
        let mut text = Text {
            builder: self.isa.text_section_builder(labels.len()),
            least_align: self.isa.function_alignment().minimum,
            align: 16,
            labels,
            ranges: Vec::new(),
            sites: Vec::new(),
            handlers: Vec::new(),
        };
        let mut funcs = Vec::with_capacity(self.funcs.len());
        for (func, code) in &self.funcs {
            funcs.push(text.append(Some(*func), true, code)?);
        }
        for (func, _, code) in &self.labeled {
            text.append(*func, true, code)?;
        }
        let mut trampolines = Vec::with_capacity(self.trampolines.len());
        for (ty, kind, code) in &self.trampolines {
            trampolines.push(Trampoline {
                ty: *ty,
                kind: *kind,
                offset: text.append(None, false, code)?,
            });
        }
        let bytes = text.builder.finish(&mut Default::default());
        if bytes.len() as u64 > MAX_TEXT {
            return Err(too_large());
        }
        Ok(Image {
            triple: target.triple(),
            features: target.features().iter().cloned().collect(),
            settings: target.settings(),
            module,
            funcs,
            ranges: text.ranges,
            sites: text.sites,
            handlers: text.handlers,
            trampolines,
            align: text.align,
            text: bytes,
        })
    }
}

fn too_large() -> Box<Error> {
    Error::new(
        ErrorKind::Limit,
        "the module's machine code is larger than 2 GiB",
    )
}

struct Text {
    builder: Box<dyn cranelift_codegen::TextSectionBuilder>,
    least_align: u32,
    align: u32,
    labels: HashMap<Symbol, usize>,
    ranges: Vec<CodeRange>,
    sites: Vec<(u32, u32)>,
    handlers: Vec<HandlerSite>,
}

impl Text {
    /// Appends code; gives its offset.
    fn append(&mut self, func: Option<u32>, labeled: bool, code: &Code) -> Result<u32> {
        let align = code.align.max(self.least_align);
        self.align = self.align.max(align);
        let mut control = Default::default();
        let offset = self
            .builder
            .append(labeled, &code.bytes, align, &mut control);
        let end = offset + code.bytes.len() as u64;
        if end > MAX_TEXT {
            return Err(too_large());
        }
        for reference in &code.references {
            let place = offset + u64::from(reference.offset);
            let label = self.labels.get(&reference.symbol);
            let resolved = label.is_some_and(|&label| {
                self.builder
                    .resolve_reloc(place, reference.kind, reference.addend, label)
            });
            if !resolved {
                return Err(Error::internal(format_args!(
                    "the relocation {:?} to {:?} cannot be resolved inside the image; this is a defect of Inlay",
                    reference.kind, reference.symbol
                )));
            }
        }
        let offset = offset as u32;
        if let Some(func) = func {
            self.ranges.push(CodeRange {
                start: offset,
                end: end as u32,
                func,
            });
            let sites = code.sites.iter().map(|&(at, wasm)| (offset + at, wasm));
            self.sites.extend(sites);
            for site in &code.handlers {
                let handlers = site.handlers.iter();
                self.handlers.push(HandlerSite {
                    returns_to: offset + site.returns_to,
                    handlers: handlers.map(|&(what, at)| (what, offset + at)).collect(),
                    ..*site
                });
            }
        }
        Ok(offset)
    }
}
