#!/bin/busybox sh
# The first program of the small machine: takes the host's files for its own, mounts a unified cgroup v2, runs the suite.
/bin/busybox mkdir -p /bin /proc /sys /dev /host /share /layer /new
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module; do insmod "/modules/$module" || echo "v2: module $module does not load"; done </modules/order
end() {
  echo "v2: $1"
  sync
  echo o >/proc/sysrq-trigger
  sleep 10
}
plan9='trans=virtio,version=9p2000.L,msize=524288'
mount -t 9p -o "$plan9,ro,cache=loose" host /host || end 'the files of the host cannot be mounted'
mount -t tmpfs tmpfs /layer
mkdir /layer/upper /layer/work
mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work overlay /new || end 'overlay cannot be mounted'
for folder in dev proc sys; do mount --move "/$folder" "/new/$folder"; done
# Not over /tmp: the checkout may lie there.
for folder in run mnt; do mount -t tmpfs tmpfs "/new/$folder"; done
mkdir /new/run/tmp
mkdir /new/mnt/share /new/dev/pts /new/dev/shm
mount -t devpts devpts /new/dev/pts
mount -t tmpfs tmpfs /new/dev/shm
mount -t 9p -o "$plan9,cache=none" share /new/mnt/share || end 'the shared folder cannot be mounted'
mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 /new/sys/fs/cgroup || end 'cgroup v2 cannot be mounted'
ifconfig lo up
hostname v2
exec switch_root /new /bin/sh /mnt/share/suite.sh
