using System.Globalization;

namespace Orderwright.Bench;

/// <summary>
/// CPU seconds and memory of process trees, read from /proc. A tree counts its living processes and the time of its reaped
/// children, which includes PostgreSQL's short-lived backends and workers.
/// </summary>
static class ProcessorTime
{
    const double TicksPerSecond = 100; // USER_HZ: equal on every Linux.

    sealed record Entry(int Id, int Parent, double Seconds);

    /// <summary>
    /// User and system time since process start, summed over processes of one name. This process counts without its
    /// children, which have names of their own.
    /// </summary>
    public static Dictionary<string, double> Of(IReadOnlyList<(string Name, int Id)> processes)
    {
        var entries = All();
        return processes.GroupBy(process => process.Name).ToDictionary(
            group => group.Key,
            group => group.Sum(process => process.Id == Environment.ProcessId
                ? Environment.CpuUsage.TotalTime.TotalSeconds
                : Tree(entries, process.Id).Sum(entry => entry.Seconds)));
    }

    /// <summary>Seconds in which the CPUs were busy, or withheld by the host of this virtual machine.</summary>
    public static double OfMachine()
    {
        // user nice system idle iowait irq softirq steal
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9];
        return fields.Select(Seconds).Sum() - Seconds(fields[3]) - Seconds(fields[4]);
    }

    /// <summary>
    /// Memory by name in megabytes: the resident size (RSS) of a service, or its peak so far. PostgreSQL and RabbitMQ
    /// consist of several processes: their shared pages count once (PSS), and they have no peak.
    /// </summary>
    public static Dictionary<string, double> Memory(IReadOnlyList<(string Name, int Id)> processes, bool peak)
    {
        var entries = All();
        return processes.GroupBy(process => process.Name).ToDictionary(group => group.Key, group => group.Sum(process =>
            Tree(entries, process.Id).ToList() is { Count: > 1 } tree
                ? tree.Sum(entry => Megabytes($"/proc/{entry.Id}/smaps_rollup", "Pss:"))
                : Megabytes($"/proc/{process.Id}/status", peak ? "VmHWM:" : "VmRSS:")));
    }

    static double Megabytes(string file, string field)
    {
        try
        {
            var line = File.ReadLines(file).First(line => line.StartsWith(field, StringComparison.Ordinal));
            var kilobytes = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1];
            return long.Parse(kilobytes, CultureInfo.InvariantCulture) / 1024d;
        }
        catch (IOException)
        {
            return 0; // The process ended meanwhile.
        }
    }

    static Dictionary<int, Entry> All()
    {
        var found = new Dictionary<int, Entry>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var id)) continue;
            try
            {
                // Fields after the name, which may contain blanks: 2 = parent, 12-15 = own and reaped children's user and
                // system time.
                var fields = File.ReadAllText($"{folder}/stat").Split(") ")[^1].Split(' ');
                found[id] = new Entry(
                    id, int.Parse(fields[1], CultureInfo.InvariantCulture),
                    fields[11..15].Sum(Seconds));
            }
            catch (IOException)
            {
                // The process ended meanwhile; the time counts for the parent.
            }
        }
        return found;
    }

    static IEnumerable<Entry> Tree(Dictionary<int, Entry> entries, int root)
    {
        if (!entries.TryGetValue(root, out var entry)) yield break;
        yield return entry;
        foreach (var child in entries.Values.Where(other => other.Parent == root))
            foreach (var below in Tree(entries, child.Id))
                yield return below;
    }

    static double Seconds(string ticks) => long.Parse(ticks, CultureInfo.InvariantCulture) / TicksPerSecond;
}
