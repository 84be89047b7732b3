//! A module as a header of C: what a program calls of a module that is linked into it, and what it has to define.
//!
//! The header is C11 and C++17, needs nothing but `inlay.h`, and has no state of its own. `docs/linked.md` says what it
//! declares and by which rule names of WebAssembly become names of C.

use super::c_names::{Names, check_symbol, literal};
use crate::error::{Error, Result};
use crate::image::{Export, ExternKind, FuncType, HeapType, Image, Import, RefType, ValType};
use std::collections::HashMap;
use std::fmt::{Display, Write};

/// The header of an image whose symbol has this name.
pub fn header(image: &Image, name: &str) -> Result<Vec<u8>> {
    check_symbol(name)?;
    let module = Module {
        image,
        name,
        imports: imports(image, name)?,
        exports: exports(image)?,
    };
    let mut out = String::new();
    module.write(&mut out)?;
    Ok(out.into_bytes())
}

/// The name in C of something that the header has, and what it stands for.
struct Named<T> {
    c: String,
    item: T,
}

struct Module<'a> {
    image: &'a Image,
    name: &'a str,
    imports: Vec<Named<Import>>,
    exports: Vec<Named<Export>>,
}

/// The imports, each once: a module may import one thing several times.
fn imports(image: &Image, name: &str) -> Result<Vec<Named<Import>>> {
    let mut names = Names::default();
    let mut known: HashMap<(&[u8], &[u8]), String> = HashMap::new();
    let mut all = Vec::new();
    for import in image.sections().imports().iter() {
        let (from, what) = (image.bytes(import.module), image.bytes(import.name));
        let ty = type_text(image, import.kind, import.index)?;
        if let Some(before) = known.get(&(from, what)) {
            if *before == ty {
                continue;
            }
            return Err(Error::unsupported(format_args!(
                "the module imports {} {} with two types, and a program defines one function of that name",
                literal(from),
                literal(what)
            )));
        }
        known.insert((from, what), ty);
        all.push(Named {
            c: names.add(&[format!("{name}_import").as_bytes(), from, what]),
            item: import,
        });
    }
    Ok(all)
}

fn exports(image: &Image) -> Result<Vec<Named<Export>>> {
    let mut names = Names::default();
    let all = image.sections().exports().iter();
    Ok(all
        .map(|export| Named {
            c: names.add(&[image.bytes(export.name)]),
            item: export,
        })
        .collect())
}

/// What something is and its type, as text.
pub fn type_text(image: &Image, kind: ExternKind, index: u32) -> Result<String> {
    let sections = image.sections();
    Ok(match kind {
        ExternKind::Func => format!("function {}", image.signature(sections.funcs().at(index))?),
        ExternKind::Tag => format!("tag {}", image.signature(sections.tags().at(index))?),
        ExternKind::Memory => {
            let ty = sections.memories().at(index);
            let most = ty
                .maximum
                .map(|most| format!(" to {most}"))
                .unwrap_or_default();
            let wide = if ty.memory64 { ", 64 bits" } else { "" };
            let shared = if ty.shared { ", shared" } else { "" };
            format!("memory of {}{most} pages{wide}{shared}", ty.minimum)
        }
        ExternKind::Table => {
            let ty = sections.tables().at(index).ty;
            let most = ty
                .maximum
                .map(|most| format!(" to {most}"))
                .unwrap_or_default();
            let element = image.value_text(ValType::Ref(ty.element))?;
            format!("table of {}{most} elements {element}", ty.minimum)
        }
        ExternKind::Global => {
            let ty = sections.globals().at(index).ty;
            let mutable = if ty.mutable { "mutable " } else { "" };
            format!("{mutable}global {}", image.value_text(ty.content)?)
        }
    })
}

/// The type of C for what is not a function, what its constant ends with, and the member of `inlay_extern_of_t`.
fn object(kind: ExternKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        ExternKind::Func => ("inlay_func_t", "FUNC", "func"),
        ExternKind::Table => ("inlay_table_t", "TABLE", "table"),
        ExternKind::Memory => ("inlay_memory_t", "MEMORY", "memory"),
        ExternKind::Global => ("inlay_global_t", "GLOBAL", "global"),
        ExternKind::Tag => ("inlay_tag_t", "TAG", "tag"),
    }
}

/// A value's type in C, with the star and the blank before a name: what is passed, or where a result goes.
fn c_type(ty: ValType, is_result: bool) -> String {
    let plain = match ty {
        ValType::I32 => "int32_t ",
        ValType::I64 => "int64_t ",
        ValType::F32 => "float ",
        ValType::F64 => "double ",
        ValType::V128 => {
            let plain = if is_result {
                "inlay_v128_t *"
            } else {
                "const inlay_v128_t *"
            };
            return plain.to_owned();
        }
        ValType::Ref(RefType {
            heap: HeapType::Func,
            ..
        }) => "inlay_func_t *",
        ValType::Ref(_) => "void *",
    };
    match is_result {
        true => format!("{plain}*"),
        false => plain.to_owned(),
    }
}

/// The parameters of a function of C for a function of WebAssembly, behind these; named, or types alone.
fn parameters(first: &str, ty: &FuncType, named: bool) -> String {
    let mut all = vec![first.to_owned()];
    for (list, is_result, letter) in [(&ty.params, false, 'p'), (&ty.results, true, 'r')] {
        for (i, &ty) in list.iter().enumerate() {
            let ty = c_type(ty, is_result);
            all.push(match named {
                true => format!("{ty}{letter}{i}"),
                false => ty.trim_end().to_owned(),
            });
        }
    }
    all.join(", ")
}

/// The names of a function's parameters and results, as arguments behind these.
fn arguments(first: &str, ty: &FuncType) -> String {
    let params = (0..ty.params.len()).map(|i| format!(", p{i}"));
    let results = (0..ty.results.len()).map(|i| format!(", r{i}"));
    params
        .chain(results)
        .fold(first.to_owned(), |all, one| all + &one)
}

/// Parameters of a function with boxed values.
const BOXED: &str = "void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs, inlay_value_t *results, \
                     size_t nresults";

impl Module<'_> {
    fn func_type(&self, func: u32) -> Result<FuncType> {
        self.image.func_type(self.image.sections().funcs().at(func))
    }

    fn signature(&self, func: u32) -> Result<String> {
        let ty = self.image.sections().funcs().at(func);
        Ok(self.image.signature(ty)?.as_str().to_owned())
    }

    /// Whether the program has to give something of a store's.
    fn imports_objects(&self) -> bool {
        self.imports
            .iter()
            .any(|import| import.item.kind != ExternKind::Func)
    }

    fn write(&self, out: &mut String) -> Result<()> {
        let name = self.name;
        let guard = format!("INLAY_LINKED_{name}");
        put(
            out,
            format_args!(
                "/* {name}: a WebAssembly module that is linked into a program, for C and C++.\n\n   Inlay {} made this of the \
             module, and the object file that defines the symbol `{name}`. It is not to be changed, but made again:\n   `inlay \
             compile` or inlay_module_header. Signatures are as inlay.h has them. */\n",
                env!("CARGO_PKG_VERSION")
            ),
        )?;
        put(
            out,
            format_args!(
                "#ifndef {guard}\n#define {guard}\n\n#include <inlay.h>\n#include <string.h>\n\n#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n"
            ),
        )?;
        self.write_module(out)?;
        self.write_imports(out)?;
        self.write_link(out)?;
        self.write_exports(out)?;
        self.write_find(out)?;
        self.write_calls(out)?;
        put(out, "#ifdef __cplusplus\n}\n#endif\n\n#endif\n")
    }

    fn write_module(&self, out: &mut String) -> Result<()> {
        let name = self.name;
        put(
            out,
            format_args!(
                "/* The image. */\nextern const inlay_linked_image_t {name};\nstatic inline const inlay_linked_image_t *{name}_image(void) {{ return \
                 &{name}; }}\n\n/* Makes the module of it, where it is: see \
             inlay_module_adopt. The caller deletes *out. */\nINLAY_MUST_USE static inline inlay_error_t *{name}_adopt(inlay_engine_t \
             *engine, inlay_module_t **out) {{\n  inlay_image_t image;\n  image.size = sizeof image;\n  inlay_error_t *error = \
             inlay_image_linked(engine, {name}_image(), &image);\n  if (!error) return inlay_module_adopt(engine, &image, out);\n  \
             if (out) *out = NULL;\n  return error;\n}}\n\n"
            ),
        )
    }

    fn write_imports(&self, out: &mut String) -> Result<()> {
        if self.imports.is_empty() {
            return put(out, "/* The module imports nothing. */\n\n");
        }
        put(
            out,
            "/* What the module imports. The program defines these functions, as inlay_linker_func_typed says; `env` is what it \
             gives where it\n   links them. What is no function is something of the store's, which the function gives. */\n\n",
        )?;
        for Named { c, item } in &self.imports {
            let (from, what) = (self.image.bytes(item.module), self.image.bytes(item.name));
            let text = type_text(self.image, item.kind, item.index)?;
            put(
                out,
                format_args!("/* {} {}: {text} */\n", literal(from), literal(what)),
            )?;
            let parameters = match item.kind {
                ExternKind::Func => {
                    let ty = self.func_type(item.index)?;
                    match ty.is_plain() {
                        true => parameters("void *env, inlay_caller_t *caller", &ty, true),
                        false => BOXED.to_owned(),
                    }
                }
                kind => format!("void *env, inlay_store_t *store, {} **out", object(kind).0),
            };
            put(out, format_args!("inlay_error_t *{c}({parameters});\n\n"))?;
        }
        Ok(())
    }

    fn write_link(&self, out: &mut String) -> Result<()> {
        let name = self.name;
        let (store, of) = match self.imports_objects() {
            true => ("inlay_store_t *store, ", ", in this store"),
            false => ("", ""),
        };
        put(
            out,
            format_args!(
                "/* Defines all that the module imports in a linker{of}. */\nINLAY_MUST_USE static inline inlay_error_t \
             *{name}_link(inlay_linker_t *linker, {store}void *env) {{\n  inlay_error_t *error = NULL;\n"
            ),
        )?;
        if self.imports.is_empty() {
            put(out, "  (void)linker, (void)env;\n")?;
        }
        for Named { c, item } in &self.imports {
            let (from, what) = (self.image.bytes(item.module), self.image.bytes(item.name));
            let names = format!(
                "{}, {}, {}, {}",
                literal(from),
                from.len(),
                literal(what),
                what.len()
            );
            match item.kind {
                ExternKind::Func => self.link_func(out, c, item.index, &names)?,
                kind => {
                    let (ty, constant, member) = object(kind);
                    put(
                        out,
                        format_args!(
                            "  if (!error) {{\n    inlay_extern_t item;\n    {ty} *given = NULL;\n    error = {c}(env, store, \
                         &given);\n    item.kind = INLAY_EXTERN_{constant};\n    item.of.{member} = given;\n    if (!error) error = \
                         inlay_linker_define_n(linker, {names}, &item);\n  }}\n"
                        ),
                    )?;
                }
            }
        }
        put(out, "  return error;\n}\n\n")
    }

    fn link_func(&self, out: &mut String, c: &str, func: u32, names: &str) -> Result<()> {
        let signature = self.signature(func)?;
        if self.func_type(func)?.is_plain() {
            return put(
                out,
                format_args!(
                    "  if (!error) error = inlay_linker_func_typed_n(linker, {names}, \"{signature}\", (inlay_any_func_t){c}, env, \
                 NULL);\n"
                ),
            );
        }
        if signature.contains('?') {
            return Err(Error::unsupported(format_args!(
                "the module imports {names} with a type that a signature cannot say; define it with inlay_linker_func"
            )));
        }
        put(
            out,
            format_args!(
                "  if (!error) {{\n    inlay_functype_t *type = NULL;\n    error = inlay_functype_new(\"{signature}\", &type);\n    if \
             (!error) error = inlay_linker_func_n(linker, {names}, type, {c}, env, NULL);\n    inlay_functype_delete(type);\n  \
             }}\n"
            ),
        )
    }

    fn write_exports(&self, out: &mut String) -> Result<()> {
        let name = self.name;
        put(
            out,
            format_args!(
                "/* What an instance of the module exports. All but the instance itself is the store's, as it is. */\ntypedef struct \
             {name}_t {{\n  inlay_instance_t *instance;\n"
            ),
        )?;
        for Named { c, item } in &self.exports {
            let (ty, _, member) = object(item.kind);
            let text = type_text(self.image, item.kind, item.index)?;
            put(
                out,
                format_args!(
                    "  {ty} *{member}_{c}; /* {}: {text} */\n",
                    literal(self.image.bytes(item.name))
                ),
            )?;
            if let Some(ty) = self.typed(item)? {
                let parameters = parameters("inlay_func_t *", &ty, false);
                put(
                    out,
                    format_args!("  inlay_error_t *(*typed_{c})({parameters});\n"),
                )?;
            }
        }
        put(out, format_args!("}} {name}_t;\n\n"))
    }

    /// The type of an exported function that C can call with nothing boxed.
    fn typed(&self, export: &Export) -> Result<Option<FuncType>> {
        match export.kind {
            ExternKind::Func => Ok(Some(self.func_type(export.index)?).filter(FuncType::is_plain)),
            _ => Ok(None),
        }
    }

    fn write_find(&self, out: &mut String) -> Result<()> {
        let name = self.name;
        put(
            out,
            format_args!(
                "/* Looks up and checks what the instance exports, once. All of *out is NULL after an error. */\nINLAY_MUST_USE static \
             inline inlay_error_t *{name}_find(inlay_instance_t *instance, {name}_t *out) {{\n  inlay_error_t *error = NULL;\n"
            ),
        )?;
        if !self.exports.is_empty() {
            put(out, "  inlay_extern_t item;\n")?;
        }
        let is_func = |export: &Named<Export>| export.item.kind == ExternKind::Func;
        if self.exports.iter().any(is_func) {
            put(out, "  inlay_any_func_t any = NULL;\n")?;
        }
        put(
            out,
            "  memset(out, 0, sizeof *out);\n  out->instance = instance;\n",
        )?;
        for Named { c, item } in &self.exports {
            let (_, constant, member) = object(item.kind);
            let bytes = self.image.bytes(item.name);
            put(
                out,
                format_args!(
                    "  if (!error && (!inlay_instance_export_n(instance, {}, {}, &item) || item.kind != INLAY_EXTERN_{constant}))\n    error \
                 = inlay_error_new(\"not an instance of {name}: it does not export {c}\");\n  if (!error) out->{member}_{c} = \
                 item.of.{member};\n",
                    literal(bytes),
                    bytes.len()
                ),
            )?;
            if let Some(ty) = self.typed(item)? {
                let signature = self.signature(item.index)?;
                let parameters = parameters("inlay_func_t *", &ty, false);
                put(
                    out,
                    format_args!(
                        "  if (!error) error = inlay_func_typed(out->func_{c}, \"{signature}\", &any);\n  if (!error) out->typed_{c} = \
                     (inlay_error_t *(*)({parameters}))any;\n"
                    ),
                )?;
            }
        }
        put(
            out,
            "  if (error) memset(out, 0, sizeof *out);\n  return error;\n}\n\n",
        )?;
        put(
            out,
            format_args!(
                "/* Makes an instance, and looks up and checks what it exports. */\nINLAY_MUST_USE static inline inlay_error_t \
             *{name}_instantiate(const inlay_linker_t *linker, inlay_store_t *store, const inlay_module_t *module,\n    {name}_t \
             *out) {{\n  inlay_instance_t *instance = NULL;\n  inlay_error_t *error = inlay_linker_instantiate(linker, store, module, \
             &instance);\n  if (!error) return {name}_find(instance, out);\n  memset(out, 0, sizeof *out);\n  return error;\n}}\n\n"
            ),
        )
    }

    fn write_calls(&self, out: &mut String) -> Result<()> {
        let name = self.name;
        for Named { c, item } in &self.exports {
            let Some(ty) = self.typed(item)? else {
                continue;
            };
            let text = type_text(self.image, item.kind, item.index)?;
            let first = format!("const {name}_t *of");
            put(
                out,
                format_args!(
                    "/* {}: {text} */\nINLAY_MUST_USE static inline inlay_error_t *{name}_call_{c}({}) {{\n  return \
                 of->typed_{c}({});\n}}\n\n",
                    literal(self.image.bytes(item.name)),
                    parameters(&first, &ty, true),
                    arguments(&format!("of->func_{c}"), &ty)
                ),
            )?;
        }
        Ok(())
    }
}

fn put(out: &mut String, text: impl Display) -> Result<()> {
    write!(out, "{text}").map_err(|_| Error::internal("a header that cannot be written"))
}
