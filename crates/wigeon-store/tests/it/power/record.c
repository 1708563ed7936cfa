// For LD_PRELOAD: writes down, in order, what the process does to the files below WIGEON_RECORD_OF, into the
// file WIGEON_RECORD. One operation at a time: what a sync covers is then what stands before it.
//
// A record: what it is u32, lengths of two paths u32, which file u64, where in it u64, length of the bytes u64;
// then the paths and the bytes. `disk.rs` reads them.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, TRUNCATE, SYNC, SYNC_DIRECTORY, RENAME, REMOVE, MAKE_DIRECTORY };
enum { FILES = 4096 };

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int record_to = -1;
static const char *of = NULL;
static struct { ino_t file; char *directory; } known[FILES];

__attribute__((constructor)) static void begin(void) {
  of = getenv("WIGEON_RECORD_OF");
  const char *to = getenv("WIGEON_RECORD");
  if (of && to) record_to = syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int ours(const char *path) {
  size_t length = of ? strlen(of) : 0;
  return record_to >= 0 && path && strncmp(path, of, length) == 0 && (path[length] == '/' || !path[length]);
}

static void record(uint32_t what, const char *path, const char *other, uint64_t file, uint64_t at, const void *bytes, uint64_t length) {
  struct { uint32_t what, path, other, none; uint64_t file, at, length; } head = {
    what, path ? strlen(path) : 0, other ? strlen(other) : 0, 0, file, at, bytes ? length : 0 };
  struct iovec parts[] = {
    { &head, sizeof head }, { (void *)path, head.path }, { (void *)other, head.other }, { (void *)bytes, head.length } };
  size_t all = sizeof head + head.path + head.other + head.length;
  if (syscall(SYS_writev, record_to, parts, 4) != (long)all) abort();
}

static int is_known(int fd) { return fd >= 0 && fd < FILES && (known[fd].file || known[fd].directory); }

static int open_it(int at, const char *path, int flags, mode_t mode) {
  if (at != AT_FDCWD || !ours(path)) return syscall(SYS_openat, at, path, flags, mode);
  pthread_mutex_lock(&turn);
  int is_new = (flags & O_CREAT) && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
  int fd = syscall(SYS_openat, at, path, flags, mode);
  int error = errno;
  struct stat status;
  if (fd >= FILES) abort();
  if (fd >= 0 && fstat(fd, &status) == 0) {
    free(known[fd].directory);
    known[fd].directory = S_ISDIR(status.st_mode) ? strdup(path) : NULL;
    known[fd].file = S_ISREG(status.st_mode) ? status.st_ino : 0;
    if (is_new) record(CREATE, path, NULL, status.st_ino, 0, NULL, 0);
    else if (flags & O_TRUNC) record(TRUNCATE, NULL, NULL, status.st_ino, 0, NULL, 0);
  }
  pthread_mutex_unlock(&turn);
  errno = error;
  return fd;
}

#define OPEN(name, at, ...) \
  int name(__VA_ARGS__, int flags, ...) { \
    va_list more; va_start(more, flags); \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0; \
    va_end(more); \
    return open_it(at, path, flags, mode); \
  }
OPEN(open, AT_FDCWD, const char *path)
OPEN(open64, AT_FDCWD, const char *path)
OPEN(openat, at, int at, const char *path)
OPEN(openat64, at, int at, const char *path)

int close(int fd) {
  if (!is_known(fd)) return syscall(SYS_close, fd);
  pthread_mutex_lock(&turn);
  free(known[fd].directory);
  known[fd].directory = NULL;
  known[fd].file = 0;
  int result = syscall(SYS_close, fd);
  pthread_mutex_unlock(&turn);
  return result;
}

static ssize_t write_it(int fd, const void *bytes, size_t length, int has_place, off_t at) {
  int noted = is_known(fd) && known[fd].file;
  if (noted) pthread_mutex_lock(&turn);
  ssize_t done = has_place ? syscall(SYS_pwrite64, fd, bytes, length, at) : syscall(SYS_write, fd, bytes, length);
  int error = errno;
  if (noted && done > 0) {
    // The place after the bytes is known also where they were appended.
    uint64_t place = has_place ? (uint64_t)at : (uint64_t)(lseek(fd, 0, SEEK_CUR) - done);
    record(WRITE, NULL, NULL, known[fd].file, place, bytes, done);
  }
  if (noted) pthread_mutex_unlock(&turn);
  errno = error;
  return done;
}

ssize_t write(int fd, const void *bytes, size_t length) { return write_it(fd, bytes, length, 0, 0); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return write_it(fd, bytes, length, 1, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) { return write_it(fd, bytes, length, 1, at); }

// Copies that never come by here are refused: whoever asks for one goes on with reads and writes.
ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t length, unsigned flags) {
  if (!is_known(to)) return syscall(SYS_copy_file_range, from, a, to, b, length, flags);
  errno = ENOSYS;
  return -1;
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t length) {
  if (!is_known(to)) return syscall(SYS_sendfile, to, from, at, length);
  errno = ENOSYS;
  return -1;
}
ssize_t sendfile(int to, int from, off_t *at, size_t length) { return sendfile64(to, from, at, length); }

static int sync_it(long call, int fd) {
  if (!is_known(fd)) return syscall(call, fd);
  pthread_mutex_lock(&turn);
  // Whether the disk that this runs on has it is no matter.
  if (known[fd].directory) record(SYNC_DIRECTORY, known[fd].directory, NULL, 0, 0, NULL, 0);
  else record(SYNC, NULL, NULL, known[fd].file, 0, NULL, 0);
  pthread_mutex_unlock(&turn);
  return 0;
}
int fsync(int fd) { return sync_it(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_it(SYS_fdatasync, fd); }

static int truncate_it(int fd, off_t length) {
  if (!is_known(fd)) return syscall(SYS_ftruncate, fd, length);
  pthread_mutex_lock(&turn);
  int result = syscall(SYS_ftruncate, fd, length);
  int error = errno;
  if (result == 0) record(TRUNCATE, NULL, NULL, known[fd].file, length, NULL, 0);
  pthread_mutex_unlock(&turn);
  errno = error;
  return result;
}
int ftruncate(int fd, off_t length) { return truncate_it(fd, length); }
int ftruncate64(int fd, off64_t length) { return truncate_it(fd, length); }

static int name_it(uint32_t what, long result, const char *path, const char *other) {
  int error = errno;
  if (result == 0) record(what, path, other, 0, 0, NULL, 0);
  pthread_mutex_unlock(&turn);
  errno = error;
  return result;
}
int rename(const char *from, const char *to) {
  if (!ours(from)) return syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
  pthread_mutex_lock(&turn);
  return name_it(RENAME, syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to), from, to);
}
int unlink(const char *path) {
  if (!ours(path)) return syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  pthread_mutex_lock(&turn);
  return name_it(REMOVE, syscall(SYS_unlinkat, AT_FDCWD, path, 0), path, NULL);
}
int mkdir(const char *path, mode_t mode) {
  if (!ours(path)) return syscall(SYS_mkdirat, AT_FDCWD, path, mode);
  pthread_mutex_lock(&turn);
  return name_it(MAKE_DIRECTORY, syscall(SYS_mkdirat, AT_FDCWD, path, mode), path, NULL);
}
