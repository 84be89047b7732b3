# For CPython: what of its library reaches the system.
import decimal, hashlib, json, os, pathlib, random, re, shutil, sys, tempfile, zlib

print(sys.version_info[:3], sys.platform, sys.argv[1:], os.environ.get("PLAIN"))
print(len(sys.stdin.read()))
path = pathlib.Path("d/e/f")
path.mkdir(parents=True)
(path / "x.txt").write_text("ü\n" * 1000, encoding="utf-8")
print((path / "x.txt").stat().st_size)
os.rename("d/e/f/x.txt", "d/y")
os.symlink("y", "d/l")
print(os.readlink("d/l"), os.path.islink("d/l"), sorted(os.listdir("d")))
os.utime("d/y", (1, 2))
print(os.stat("d/y").st_mtime)
for root, directories, files in sorted(os.walk(".")):
    print(root, sorted(directories), sorted(files))
for call in lambda: open("missing"), lambda: os.mkdir("d"), lambda: os.rmdir("d"), lambda: open("d", "w"), lambda: os.listdir("d/y"):
    try:
        call()
    except OSError as error:
        print(type(error).__name__, error.strerror)
shutil.copy("d/y", "z")
shutil.rmtree("d")
print(sorted(os.listdir(".")))
with open("z", "r+b") as file:
    file.seek(10)
    file.truncate()
    print(file.tell(), os.fstat(file.fileno()).st_size)
with open("z", "a") as file:
    file.write("more\n")
    print(file.tell())
with tempfile.TemporaryFile(dir=".") as file:
    file.write(b"temporary")
    file.seek(3)
    print(file.read())
try:
    import sqlite3

    db = sqlite3.connect("py.db")
    db.execute("create table t(a, b)")
    db.executemany("insert into t values(?, ?)", [(i, str(i) * 3) for i in range(1000)])
    db.commit()
    print(sqlite3.sqlite_version, db.execute("select sum(a), max(b) from t").fetchone())
    db.close()
except ImportError:
    print("no SQLite in it")
print(hashlib.sha256(b"x" * 100000).hexdigest(), zlib.crc32(b"abc" * 1000), json.dumps({"a": [1, None, 2.5]}), decimal.Decimal(2).sqrt())
random.seed(5)
print(random.random(), re.sub(r"(\w+) (\w+)", r"\2 \1", "hello world"), len(os.urandom(16)))
print("to the other stream", file=sys.stderr)
sys.stdout.flush()
sys.exit(5)
