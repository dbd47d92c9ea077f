//! Which file of a package imports which, read from the code.
//!
//! Counted are `use` items and paths; not a bare `mod` item, not a re-export (`pub use`), whose name stands for the file
//! that it comes from, and nothing of tests. Paths within the arguments of macros are not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::Visit;
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree, Visibility};

/// The path of a module or an item from the package's root.
type Segments = Vec<String>;

/// The modules of a package by their paths, each with its file.
pub(crate) struct Package {
    modules: BTreeMap<Segments, Module>,
}

#[derive(Default)]
struct Module {
    file: PathBuf,
    /// Names that it re-exports, with the paths they come from.
    reexports: BTreeMap<String, Segments>,
    /// Paths that it uses.
    paths: BTreeSet<Segments>,
}

impl Package {
    /// The modules below `root`, a `lib.rs` or `main.rs`.
    pub(crate) fn read(root: &Path) -> Self {
        let mut package = Self { modules: BTreeMap::new() };
        package.add(root.to_owned(), Vec::new());
        package
    }

    fn add(&mut self, file: PathBuf, path: Segments) {
        let text = std::fs::read_to_string(&file).unwrap();
        let source = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let children: Vec<String> = source
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Mod(ItemMod { attrs, ident, content: None, .. }) if !is_test(attrs) => {
                    Some(ident.to_string())
                }
                _ => None,
            })
            .collect();
        let mut reader = Reader { here: &path, children: &children, module: Module::default() };
        reader.visit_file(&source);
        let module = Module { file: file.clone(), ..reader.module };
        self.modules.insert(path.clone(), module);
        let stem = file.file_stem().unwrap().to_str().unwrap();
        let folder = match stem {
            "lib" | "main" | "mod" => file.parent().unwrap().to_owned(),
            stem => file.with_file_name(stem),
        };
        for child in children {
            let files = [folder.join(format!("{child}.rs")), folder.join(&child).join("mod.rs")];
            let file = files.into_iter().find(|file| file.exists());
            let path = [path.clone(), vec![child.clone()]].concat();
            self.add(file.unwrap_or_else(|| panic!("{child} of {} is missing", folder.display())), path);
        }
    }

    /// Each file with the files that it imports, as module paths.
    pub(crate) fn imports(&self) -> BTreeMap<Segments, BTreeSet<Segments>> {
        let of = |(path, module): (&Segments, &Module)| {
            let imports = module.paths.iter().map(|used| self.home(used)).filter(|home| home != path);
            (path.clone(), imports.collect())
        };
        self.modules.iter().map(of).collect()
    }

    /// The file of a module, as a reader knows it.
    pub(crate) fn file(&self, path: &Segments) -> &Path {
        &self.modules[path].file
    }

    /// The module in which the item of that path is written, re-exports followed.
    fn home(&self, path: &[String]) -> Segments {
        let depth = (0..=path.len()).rev().find(|depth| self.modules.contains_key(&path[..*depth])).unwrap();
        let (module, rest) = path.split_at(depth);
        let reexport = rest.first().and_then(|name| self.modules[module].reexports.get(name));
        match reexport {
            Some(target) => self.home(&[target.as_slice(), &rest[1..]].concat()),
            None => module.to_vec(),
        }
    }
}

struct Reader<'a> {
    here: &'a Segments,
    children: &'a [String],
    module: Module,
}

impl Reader<'_> {
    /// The path from the package's root; `None` for paths of other packages and of names in scope.
    fn absolute(&self, path: &[String]) -> Option<Segments> {
        let supers = path.iter().take_while(|segment| *segment == "super").count();
        match path.first()?.as_str() {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([self.here.as_slice(), &path[1..]].concat()),
            "super" => {
                let above = self.here.get(..self.here.len().checked_sub(supers)?)?;
                Some([above, &path[supers..]].concat())
            }
            first if self.children.iter().any(|child| child == first) => {
                Some([self.here.as_slice(), path].concat())
            }
            _ => None,
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attrs = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            _ => return syn::visit::visit_item(self, item),
        };
        if !is_test(attrs) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let mut leaves = Vec::new();
        flatten(&item.tree, Vec::new(), &mut leaves);
        for (path, name) in leaves {
            let Some(path) = self.absolute(&path) else { continue };
            if matches!(item.vis, Visibility::Inherited) {
                self.module.paths.insert(path);
            } else {
                self.module.reexports.insert(name, path);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 {
            self.module.paths.extend(self.absolute(&segments));
        }
        syn::visit::visit_path(self, path);
    }
}

/// The paths of a `use` item, each with the name that it gets.
fn flatten(tree: &UseTree, mut before: Segments, leaves: &mut Vec<(Segments, String)>) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, leaves);
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before.clone(), leaves)),
        UseTree::Name(name) if name.ident == "self" => {
            let last = before.last().cloned().unwrap_or_default();
            leaves.push((before, last));
        }
        UseTree::Name(name) => {
            before.push(name.ident.to_string());
            leaves.push((before, name.ident.to_string()));
        }
        UseTree::Rename(rename) => {
            before.push(rename.ident.to_string());
            leaves.push((before, rename.rename.to_string()));
        }
        UseTree::Glob(_) => leaves.push((before, "*".to_owned())),
    }
}

fn is_test(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|ident| ident == "test")
    })
}

/// Files that import each other, over however many others; the shortest such circle through each of them.
pub(crate) fn circles(imports: &BTreeMap<Segments, BTreeSet<Segments>>) -> BTreeSet<Vec<Segments>> {
    imports.keys().filter_map(|start| circle_through(imports, start)).collect()
}

fn circle_through(
    imports: &BTreeMap<Segments, BTreeSet<Segments>>,
    start: &Segments,
) -> Option<Vec<Segments>> {
    let mut reached: BTreeMap<&Segments, &Segments> = BTreeMap::new();
    let mut front = vec![start];
    while !front.is_empty() {
        let mut next = Vec::new();
        for from in front {
            for to in &imports[from] {
                if to == start {
                    let mut circle = vec![from.clone()];
                    while let Some(before) = reached.get(circle.last().unwrap()) {
                        circle.push((*before).clone());
                    }
                    circle.reverse();
                    // The same circle from whichever of its files it is found.
                    let first = circle.iter().enumerate().min_by_key(|(_, path)| *path).unwrap().0;
                    circle.rotate_left(first);
                    return Some(circle);
                }
                if !reached.contains_key(to) {
                    reached.insert(to, from);
                    next.push(to);
                }
            }
        }
        front = next;
    }
    None
}
