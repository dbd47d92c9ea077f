//! The SQL statements of this crate, read from its source.
//!
//! A statement is what is given to `sqlx::query` and its kin, or to a connection's `execute` and `fetch`. The value is
//! followed through literals, `concat!`, macros of the crate, constants, variables, branches, and the parameters of
//! functions and closures. What cannot be followed is reported, so that no statement is left out in silence.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprCall, ExprClosure, ExprMethodCall, FnArg, Pat, Signature, Stmt, Token};

/// Functions of sqlx that take a statement.
const QUERIES: [&str; 9] = [
    "query",
    "query_as",
    "query_scalar",
    "query_with",
    "query_as_with",
    "query_scalar_with",
    "raw_sql",
    "prepare",
    "describe",
];
/// Methods of a connection that take a statement. A query has methods of these names, which take the connection.
const METHODS: [&str; 9] = [
    "execute",
    "execute_many",
    "fetch",
    "fetch_all",
    "fetch_many",
    "fetch_one",
    "fetch_optional",
    "prepare",
    "describe",
];

/// A statement, or why there is none.
pub(crate) struct Found {
    /// The file, from the crate's `src`.
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    pub(crate) text: Result<String, String>,
}

/// All statements of the crate, and all literals that begin as one, by file.
pub(crate) fn statements(src: &Path) -> (Vec<Found>, Vec<(PathBuf, String)>) {
    let parsed: Vec<(PathBuf, String, syn::File)> = files(src).into_iter().map(parse).collect();
    let mut shared = Names::default();
    for (_, _, file) in parsed.iter().filter(|(path, ..)| path.ends_with("src/sql.rs")) {
        shared.visit_file(file);
    }
    let (mut found, mut literals) = (Vec::new(), Vec::new());
    for (path, text, file) in &parsed {
        let relative = path.strip_prefix(src).unwrap().to_owned();
        let mut names = Names { macros: shared.macros.clone(), ..Names::default() };
        names.visit_file(file);
        for (span, argument) in names.statements() {
            let line = span.start().line;
            for text in names.texts(argument, 0) {
                found.push(Found { file: relative.clone(), line, text });
            }
        }
        header_literals(text.parse().unwrap(), &mut |header| literals.push((relative.clone(), header)));
    }
    (found, literals)
}

fn parse(path: PathBuf) -> (PathBuf, String, syn::File) {
    let text = std::fs::read_to_string(&path).unwrap();
    let file = syn::parse_file(&text).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
    (path, text, file)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Literals that begin with a statement's name, wherever they stand.
fn header_literals(tokens: TokenStream, add: &mut impl FnMut(String)) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => header_literals(group.stream(), add),
            TokenTree::Literal(literal) => {
                if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string())
                    && text.value().starts_with("-- ")
                {
                    add(text.value());
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// The last name of a path; empty for any other expression.
fn last(expression: &Expr) -> String {
    let Expr::Path(path) = expression else { return String::new() };
    path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}

/// A macro of the file or of `sql.rs`: its parameters and what it stands for.
#[derive(Clone)]
struct Macro {
    parameters: Vec<String>,
    body: TokenStream,
}

/// What names of a file stand for. A name that is used twice has several values, and all of them count.
#[derive(Default)]
struct Names<'a> {
    /// Constants and variables.
    values: HashMap<String, Vec<&'a Expr>>,
    macros: HashMap<String, Macro>,
    /// Bodies of functions.
    functions: HashMap<String, Vec<&'a Block>>,
    /// Parameters of functions and closures: the function's name and the parameter's place.
    parameters: HashMap<String, Vec<(String, usize)>>,
    calls: Vec<&'a ExprCall>,
    methods: Vec<&'a ExprMethodCall>,
}

impl<'a> Names<'a> {
    /// The arguments of calls that are statements.
    fn statements(&self) -> Vec<(Span, &'a Expr)> {
        let queries = self.calls.iter().filter(|call| QUERIES.contains(&last(&call.func).as_str()));
        let queries = queries.map(|call| (call.span(), call.args.first().expect("a statement")));
        let methods = self.methods.iter().filter(|call| METHODS.contains(&call.method.to_string().as_str()));
        let methods = methods.filter(|call| !self.is_query(&call.receiver, 0));
        let methods = methods.filter_map(|call| Some((call.span(), call.args.first()?)));
        queries.chain(methods).collect()
    }

    fn signature(&mut self, signature: &'a Signature, body: &'a Block) {
        let name = signature.ident.to_string();
        let typed = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(&*typed.pat),
            FnArg::Receiver(_) => None,
        });
        for (place, pattern) in typed.enumerate() {
            self.parameter(&name, place, pattern);
        }
        self.functions.entry(name).or_default().push(body);
    }

    fn parameter(&mut self, function: &str, place: usize, pattern: &Pat) {
        if let Some(name) = bound(pattern) {
            self.parameters.entry(name).or_default().push((function.to_owned(), place));
        }
    }
}

/// The name that a pattern binds.
fn bound(pattern: &Pat) -> Option<String> {
    match pattern {
        Pat::Ident(name) => Some(name.ident.to_string()),
        Pat::Type(typed) => bound(&typed.pat),
        _ => None,
    }
}

impl<'a> Visit<'a> for Names<'a> {
    fn visit_item_fn(&mut self, function: &'a syn::ItemFn) {
        self.signature(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        self.signature(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_item_const(&mut self, constant: &'a syn::ItemConst) {
        self.values.entry(constant.ident.to_string()).or_default().push(&constant.expr);
        visit::visit_item_const(self, constant);
    }

    fn visit_local(&mut self, local: &'a syn::Local) {
        if let (Some(name), Some(init)) = (bound(&local.pat), &local.init) {
            if let Expr::Closure(ExprClosure { inputs, .. }) = &*init.expr {
                for (place, input) in inputs.iter().enumerate() {
                    self.parameter(&name, place, input);
                }
            }
            self.values.entry(name).or_default().push(&init.expr);
        }
        visit::visit_local(self, local);
    }

    fn visit_item_macro(&mut self, item: &'a syn::ItemMacro) {
        let Some(name) = &item.ident else { return };
        let groups: Vec<Group> = item.mac.tokens.clone().into_iter().filter_map(group).collect();
        let [pattern, body] = &groups[..] else { panic!("the macro {name} has more than one rule") };
        let mut parameters = Vec::new();
        let mut tokens = pattern.stream().into_iter();
        while let Some(token) = tokens.next() {
            if matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '$') {
                parameters.extend(tokens.next().map(|name| name.to_string()));
            }
        }
        self.macros.insert(name.to_string(), Macro { parameters, body: body.stream() });
    }

    fn visit_expr_call(&mut self, call: &'a ExprCall) {
        self.calls.push(call);
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'a ExprMethodCall) {
        self.methods.push(call);
        visit::visit_expr_method_call(self, call);
    }
}

fn group(token: TokenTree) -> Option<Group> {
    match token {
        TokenTree::Group(group) if group.delimiter() != Delimiter::None => Some(group),
        _ => None,
    }
}

/// Values of names are followed this far, so that those that stand for themselves come to an end.
const DEPTH: usize = 12;

impl Names<'_> {
    /// Whether an expression is a query that was built, and not a connection.
    fn is_query(&self, expression: &Expr, depth: usize) -> bool {
        if depth > DEPTH {
            return false;
        }
        match expression {
            Expr::MethodCall(call) => call.method == "bind" || self.is_query(&call.receiver, depth + 1),
            Expr::Call(call) => {
                let name = last(&call.func);
                let built = |value: &&Expr| matches!(value, Expr::Closure(closure) if self.is_query(&closure.body, depth + 1));
                QUERIES.contains(&name.as_str())
                    || self.values.get(&name).is_some_and(|values| values.iter().any(built))
            }
            // The crate's macro that binds columns to a query.
            Expr::Macro(call) => call.mac.path.is_ident("bind"),
            Expr::Block(block) => match block.block.stmts.last() {
                Some(Stmt::Expr(last, None)) => self.is_query(last, depth + 1),
                _ => false,
            },
            Expr::Path(_) => {
                let values = self.values.get(&last(expression));
                values.is_some_and(|values| values.iter().any(|value| self.is_query(value, depth + 1)))
            }
            _ => false,
        }
    }

    /// The texts that an expression may have.
    fn texts(&self, expression: &Expr, depth: usize) -> Vec<Result<String, String>> {
        let unknown = |what: &str| vec![Err(what.to_owned())];
        if depth > DEPTH {
            return unknown("a value that stands for itself");
        }
        let next = |expression: &Expr| self.texts(expression, depth + 1);
        match expression {
            Expr::Lit(literal) => match &literal.lit {
                syn::Lit::Str(text) => vec![Ok(text.value())],
                _ => unknown("a literal that is no text"),
            },
            Expr::Reference(inner) => next(&inner.expr),
            Expr::Paren(inner) => next(&inner.expr),
            Expr::Group(inner) => next(&inner.expr),
            Expr::If(branch) => {
                let mut texts = self.block(&branch.then_branch, depth);
                if let Some((_, other)) = &branch.else_branch {
                    texts.extend(next(other));
                }
                texts
            }
            Expr::Match(choice) => choice.arms.iter().flat_map(|arm| next(&arm.body)).collect(),
            Expr::Block(block) => self.block(&block.block, depth),
            Expr::Macro(call) => self.expanded(&call.mac, depth),
            Expr::Path(_) => self.named(&last(expression), depth),
            Expr::MethodCall(call) => match self.functions.get(&call.method.to_string()) {
                Some(bodies) => bodies.iter().flat_map(|body| self.block(body, depth)).collect(),
                None => unknown("a method of another file"),
            },
            Expr::Call(call) if last(&call.func) == "AssertSqlSafe" => next(call.args.first().unwrap()),
            _ => unknown("an expression of this kind"),
        }
    }

    fn block(&self, block: &Block, depth: usize) -> Vec<Result<String, String>> {
        match block.stmts.last() {
            Some(Stmt::Expr(last, None)) => self.texts(last, depth + 1),
            Some(Stmt::Macro(last)) => self.expanded(&last.mac, depth + 1),
            _ => vec![Err("a block without a value".to_owned())],
        }
    }

    /// The values of a name: of a constant or variable, or what is given to a parameter.
    fn named(&self, name: &str, depth: usize) -> Vec<Result<String, String>> {
        let values = self.values.get(name).into_iter().flatten().copied();
        let given = self.parameters.get(name).into_iter().flatten().flat_map(|(function, place)| {
            let calls = self.calls.iter().filter(|call| last(&call.func) == *function);
            let methods = self.methods.iter().filter(|call| call.method == function);
            let arguments = calls.filter_map(|call| call.args.get(*place));
            arguments.chain(methods.filter_map(|call| call.args.get(*place))).collect::<Vec<_>>()
        });
        let texts: Vec<_> = values.chain(given).flat_map(|value| self.texts(value, depth + 1)).collect();
        if texts.is_empty() { vec![Err(format!("{name}, which has no value in this file"))] } else { texts }
    }

    fn expanded(&self, call: &syn::Macro, depth: usize) -> Vec<Result<String, String>> {
        let name = call.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        let arguments = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
        let arguments = arguments.unwrap_or_else(|problem| panic!("{name}!: {problem}"));
        match self.macros.get(&name) {
            _ if name == "concat" => arguments.iter().fold(vec![Ok(String::new())], |before, argument| {
                let after = self.texts(argument, depth + 1);
                before.iter().flat_map(|before| after.iter().map(|after| joined(before, after))).collect()
            }),
            // What is put in is not known here; the test lists these statements.
            _ if name == "format" => {
                arguments.first().map(|text| self.texts(text, depth + 1)).unwrap_or_default()
            }
            None => vec![Err(format!("the macro {name}! of another file"))],
            Some(Macro { parameters, body }) => {
                let given = parameters
                    .iter()
                    .zip(arguments.iter())
                    .map(|(name, value)| (name.clone(), quote::ToTokens::to_token_stream(value)));
                let body = substituted(body.clone(), &given.collect());
                let expression: Expr =
                    syn::parse2(body).unwrap_or_else(|problem| panic!("{name}!: {problem}"));
                self.texts(&expression, depth + 1)
            }
        }
    }
}

fn joined(before: &Result<String, String>, after: &Result<String, String>) -> Result<String, String> {
    Ok(before.clone()? + &after.clone()?)
}

/// A macro's body with its parameters replaced.
fn substituted(body: TokenStream, given: &HashMap<String, TokenStream>) -> TokenStream {
    let mut tokens = body.into_iter().peekable();
    let mut result = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '$' => {
                let name = tokens.next().map(|name| name.to_string()).unwrap_or_default();
                result.extend(given.get(&name).cloned().unwrap_or_else(|| panic!("${name} has no value")));
            }
            TokenTree::Group(group) => {
                result.extend([TokenTree::Group(Group::new(
                    group.delimiter(),
                    substituted(group.stream(), given),
                ))]);
            }
            token => result.extend([token]),
        }
    }
    result
}
