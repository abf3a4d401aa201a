using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Orderwright.Load;

/// <summary>
/// Linux's readiness list (epoll(7)), for one thread that serves every connection. What .NET's own async sockets add, a
/// completion on the thread pool for each answer, costs as much as the whole exchange does here.
/// </summary>
sealed class Epoll : IDisposable
{
    const int Add = 1;
    const int Readable = 1;
    const int Interrupted = 4;

    readonly int descriptor = epoll_create1(0);
    readonly Event[] events = new Event[512];

    // 12 bytes on x86-64, where the kernel packs it; 16 elsewhere.
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    struct Event
    {
        public uint Events;
        public int Number;
        public int Unused;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <param name="socket">Not blocking.</param>
    /// <param name="number">What <see cref="Wait"/> says when it can be read.</param>
    public void Watch(Socket socket, int number)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            throw new PlatformNotSupportedException("The load client knows epoll's layout on x86-64 only.");
        var what = new Event { Events = Readable, Number = number };
        if (epoll_ctl(descriptor, Add, (int)socket.Handle, ref what) != 0) throw new Win32Exception();
    }

    /// <summary>How many are readable; which, says <see cref="this"/>. 0 when the time is over.</summary>
    /// <param name="limit">To the tick: a due request is not sent a millisecond late.</param>
    public int Wait(TimeSpan limit)
    {
        var time = new TimeSpec
        {
            Seconds = limit.Ticks / TimeSpan.TicksPerSecond,
            Nanoseconds = limit.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick,
        };
        while (true)
        {
            var count = epoll_pwait2(descriptor, events, events.Length, ref time, IntPtr.Zero);
            if (count >= 0) return count;
            if (Marshal.GetLastPInvokeError() != Interrupted) throw new Win32Exception();
        }
    }

    public int this[int index] => events[index].Number;

    public void Dispose() => _ = close(descriptor);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int epoll_create1(int flags);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int epoll_ctl(int epoll, int operation, int descriptor, ref Event what);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int epoll_pwait2(int epoll, [Out] Event[] events, int most, ref TimeSpec limit, IntPtr signals);

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int close(int descriptor);
}
