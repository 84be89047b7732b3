// A program in Go: files, directories, time, goroutines, arguments, variables, the standard streams, a panic.
package main

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"
)

func say(what string, err error) {
	switch {
	case err == nil:
		fmt.Println(what, "ok")
	case errors.Is(err, fs.ErrNotExist):
		fmt.Println(what, "is not there")
	case errors.Is(err, fs.ErrExist):
		fmt.Println(what, "is there already")
	default:
		fmt.Println(what, "fails")
	}
}

func main() {
	fmt.Println(len(os.Args)-1, strings.Join(os.Args[1:], "|"), os.Getenv("PLAIN"))
	lines := 0
	for input := bufio.NewScanner(os.Stdin); input.Scan(); lines++ {
	}
	fmt.Println(lines, "lines are read")

	say("mkdir", os.MkdirAll("a/b/c", 0o777))
	say("mkdir again", os.Mkdir("a", 0o777))
	say("write", os.WriteFile("a/b/file", []byte(strings.Repeat("some text\n", 100000)), 0o666))
	text, err := os.ReadFile("a/b/file")
	fmt.Println(len(text), err)
	_, err = os.ReadFile("missing")
	say("missing", err)
	say("rename", os.Rename("a/b/file", "a/moved"))
	say("symlink", os.Symlink("moved", "a/link"))
	target, err := os.Readlink("a/link")
	fmt.Println(target, err)
	say("truncate", os.Truncate("a/moved", 12))
	say("times", os.Chtimes("a/moved", time.Unix(1000, 0), time.Unix(2000, 0)))
	is, err := os.Stat("a/link")
	fmt.Println(is.Size(), is.ModTime().Unix(), is.IsDir(), err)
	// node says of no descriptor that it appends, and Go, which asks and then sets what it was told, has it append no more.
	flags := os.O_APPEND | os.O_RDWR
	if os.Getenv("NODE") != "" {
		flags = os.O_RDWR
	}
	file, err := os.OpenFile("a/moved", flags, 0)
	say("open", err)
	if os.Getenv("NODE") != "" {
		file.Seek(0, 2)
	}
	fmt.Fprintf(file, "appended")
	file.Seek(-8, 2)
	end := make([]byte, 20)
	n, _ := file.Read(end)
	fmt.Println(string(end[:n]))
	say("sync", file.Sync())
	say("close", file.Close())
	var names []string
	filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		names = append(names, fmt.Sprint(path, " ", entry.Type(), " ", err))
		return nil
	})
	sort.Strings(names)
	fmt.Println(strings.Join(names, "\n"))

	// Goroutines wait for each other and for time.
	var group sync.WaitGroup
	results := make(chan int, 100)
	begin := time.Now()
	for i := 0; i < 100; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			time.Sleep(time.Duration(i) * time.Millisecond)
			results <- i
		}()
	}
	group.Wait()
	close(results)
	sum := 0
	for i := range results {
		sum += i
	}
	took := time.Since(begin)
	fmt.Println(sum, took >= 99*time.Millisecond, took < 3*time.Second)
	select {
	case <-results:
	case <-time.After(20 * time.Millisecond):
	}

	one, two := make([]byte, 32), make([]byte, 32)
	rand.Read(one)
	rand.Read(two)
	fmt.Println(string(one) != string(two))
	all, err := json.Marshal(map[string]any{"b": []int{1, 2}, "a": 1.5, "c": nil})
	fmt.Println(string(all), err)
	say("remove", os.RemoveAll("a/b"))
	fmt.Fprintln(os.Stderr, "to the other stream")
	if len(os.Args) > 1 && os.Args[1] == "panic" {
		var list []int
		fmt.Println(list[len(os.Args)])
	}
	os.Exit(7)
}
