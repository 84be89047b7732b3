# For Ruby, with what of its library is built in.
require "json"
require "digest"
require "fileutils"
require "stringio"

puts RUBY_VERSION, ARGV.inspect, ENV["PLAIN"], $stdin.read.lines.size
FileUtils.mkdir_p("d/e/f")
File.write("d/e/x.txt", "grüße\n" * 1000)
puts File.size("d/e/x.txt"), File.read("d/e/x.txt").encoding
File.rename("d/e/x.txt", "d/y")
File.symlink("y", "d/l")
puts File.readlink("d/l"), File.symlink?("d/l"), Dir.children("d").sort.inspect, Dir.glob("**/*").sort.inspect
File.utime(1, 2, "d/y")
puts File.mtime("d/y").to_i
[-> { File.read("missing") }, -> { Dir.mkdir("d") }, -> { Dir.rmdir("d") }].each do |call|
  call.call
rescue SystemCallError => error
  puts error.class
end
File.open("d/y", "r+") { |file| file.seek(5); file.write("RUBY"); file.truncate(30); file.rewind; puts file.read.bytes.sum, file.size }
File.open("d/y", "a") { |file| file.puts "appended" }
puts File.foreach("d/y").count
FileUtils.rm_r("d/e")
puts JSON.generate({ a: [1, nil, 2.5] }), Digest::SHA256.hexdigest("x" * 100_000), "hello world".sub(/(\w+) (\w+)/, '\2 \1')
puts (1..30).inject(:*), Random.new(5).rand, Fiber.new { Fiber.yield 1; 2 }.resume
begin
  raise ArgumentError, "raised"
rescue ArgumentError => error
  puts error.message
end
warn "to the other stream"
exit 4
