<?php
echo PHP_VERSION, "\n", array_sum(range(1, 1000)), " ", md5(implode(",", range(1, 1000))), "\n";
file_put_contents("x.txt", str_repeat("line\n", 1000));
echo filesize("x.txt"), " ", count(file("x.txt")), "\n";
mkdir("d");
rename("x.txt", "d/y");
print_r(array_values(array_diff(scandir("d"), [".", ".."])));
echo json_encode(["a" => [1, 2.5, null], "u" => "ü"]), "\n";
preg_match_all("/(\d+)-(\w+)/", "12-ab 34-cd", $matches);
print_r($matches[2]);
if (class_exists("SQLite3")) {
  $db = new SQLite3("p.db");
  $db->exec("create table t(a)");
  $db->exec("insert into t values(1), (2)");
  echo $db->querySingle("select sum(a) from t"), "\n";
}
$file = fopen("d/y", "r+");
fseek($file, 5);
fwrite($file, "LINE");
rewind($file);
echo fread($file, 12), feof($file) ? "" : " more", "\n";
ftruncate($file, 20);
var_dump(fstat($file)["size"], @fopen("missing", "r"), touch("d/y", 1000), filemtime("d/y"), unlink("d/y"), rmdir("d"));
exit(3);
