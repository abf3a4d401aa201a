using System.Globalization;
using System.Text;

namespace Orderwright.Bench;

/// <summary>The report for people: targets and results, the runs of each case, and the setup.</summary>
static class Markdown
{
    /// <summary>Writes RESULTS.md and its plots.</summary>
    public static void Write(Report report, string folder)
    {
        Directory.CreateDirectory(Path.Combine(folder, "plots"));
        var text = new StringBuilder();
        text.Append(
            """
            # Results

            Written by `./orderwright bench`; [README.md](README.md) describes the method. Medians, with the range of all runs
            behind them. Everything ran on the single machine below: services, PostgreSQL, RabbitMQ and the load client.


            """);
        WriteTargets(text, report);
        WritePlots(text, report, folder);
        foreach (var result in report.Cases) WriteCase(text, result);
        WriteSetup(text, report.Setup);
        File.WriteAllText(Path.Combine(folder, "RESULTS.md"), text.ToString());
    }

    /// <summary>A figure in a line, for the terminal.</summary>
    public static string Line(Figure figure) =>
        $"{figure.Name}: {Text(figure.Value)} {figure.Unit}" +
        (figure.Met is { } met ? $" ({TargetOf(figure)}: {(met ? "met" : "missed")})" : "");

    static void WriteTargets(StringBuilder text, Report report)
    {
        text.Append("| case | figure | wanted | measured | |\n| --- | --- | --- | --- | --- |\n");
        foreach (var result in report.Cases)
            foreach (var figure in result.Measured.Figures.Where(figure => figure.Met is not null))
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"| {result.Letter} | {figure.Name}, {figure.Unit} | {TargetOf(figure)} | {Text(figure.Value)} " +
                    $"| {(figure.Met == true ? "met" : "**missed**")} |\n");
        text.Append('\n');
    }

    static void WritePlots(StringBuilder text, Report report, string folder)
    {
        foreach (var (name, title, plot) in Plots.Of(report))
        {
            File.WriteAllText(Path.Combine(folder, "plots", name), plot);
            text.Append(CultureInfo.InvariantCulture, $"![{title}](plots/{name})\n\n");
        }
    }

    static void WriteCase(StringBuilder text, CaseResult result)
    {
        text.Append(CultureInfo.InvariantCulture, $"## ({result.Letter}) {result.Title}\n\n");
        text.Append("| | orders/s | CPU-s per 1,000 | cores | p50 ms | p99 ms | WAL kB per order | others' CPU |\n");
        text.Append("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
        foreach (var series in result.Measured.Series)
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {series.Variant} | {Text(series.OrdersPerSecond)} | {Text(series.CpuPer1000)} | {Text(series.Cores)} " +
                $"| {Text(series.Milliseconds("p50"))} | {Text(series.Milliseconds("p99"))} | {Text(WalOf(series))} " +
                $"| {series.Of(run => run.OthersCpu).Highest:P0} |\n");
        text.Append("\nCPU-seconds per 1,000 orders, by process:\n\n");
        foreach (var series in result.Measured.Series)
            text.Append(
                CultureInfo.InvariantCulture,
                $"- {series.Variant}: {string.Join(", ", series.CpuBy.Select(pair => $"{pair.Key} {Number(pair.Value)}"))}\n");
        text.Append('\n');
        if (result.Measured.Profile is { } profile) WriteProfile(text, profile);
        foreach (var figure in result.Measured.Figures) text.Append(CultureInfo.InvariantCulture, $"- {Line(figure)}\n");
        text.Append(
            CultureInfo.InvariantCulture, $"\nEvery invariant held on {result.Measured.Verified:N0} orders afterwards.\n\n");
    }

    static void WriteProfile(StringBuilder text, Profile profile)
    {
        text.Append("Time by statement, from a separate run:\n\n");
        text.Append("| service | messages or requests in a transaction | transactions per 1,000 orders | ms each |\n");
        text.Append("| --- | --- | --- | --- |\n");
        foreach (var batches in profile.Batches)
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {batches.Service} | {Number(batches.Items)} | {Number(batches.Transactions)} " +
                $"| {Number(batches.Milliseconds)} |\n");
        text.Append("\n| service | statement | ms per 1,000 orders | calls per 1,000 | rows a call | WAL bytes per order |\n");
        text.Append("| --- | --- | --- | --- | --- | --- |\n");
        foreach (var statement in profile.Statements)
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {statement.Service} | {statement.Name.Replace("|", "\\|", StringComparison.Ordinal)} " +
                $"| {Number(statement.Milliseconds)} " +
                $"| {Number(statement.Calls)} | {Number(statement.Rows)} | {Number(statement.WalBytes)} |\n");
        text.Append('\n');
    }

    static void WriteSetup(StringBuilder text, Setup setup)
    {
        text.Append("## Measured on\n\n| | |\n| --- | --- |\n");
        (string Name, string Value)[] rows =
        [
            ("when", setup.At.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)),
            ("commit", setup.Commit),
            ("processor", $"{setup.Cores} cores of {setup.Processor}"),
            ("memory", $"{setup.MemoryGb.ToString(CultureInfo.InvariantCulture)} GB"),
            ("kernel", setup.Kernel),
            ("disk", $"{setup.FileSystem}; 8 kB written and synced in " +
                $"{setup.FsyncMs.ToString(CultureInfo.InvariantCulture)} ms (median)"),
            (".NET", setup.DotNet),
            ("RabbitMQ", setup.RabbitMq),
            .. setup.Settings.Select(setting => (setting.Key, setting.Value)),
        ];
        foreach (var (name, value) in rows) text.Append(CultureInfo.InvariantCulture, $"| {name} | {value} |\n");
    }

    static Spread? WalOf(Series series) => series.Runs.All(run => run.WalBytes is not null)
        ? series.Of(run => run.WalBytes!.Value / 1_000d / run.Load.Requests)
        : null;

    static string TargetOf(Figure figure) =>
        figure.AtLeast is { } least ? $"≥ {Number(least)}" : $"≤ {Number(figure.AtMost!.Value)}";

    static string Text(Spread? spread) =>
        spread is null ? ""
        : spread.Lowest == spread.Highest ? Number(spread.Median)
        : $"{Number(spread.Median)} ({Number(spread.Lowest)}–{Number(spread.Highest)})";

    /// <summary>Formats three significant digits.</summary>
    public static string Number(double value) => value.ToString(
        Math.Abs(value) switch
        {
            >= 100 => "N0",
            >= 10 => "0.#",
            >= 1 => "0.##",
            _ => "0.###",
        }, CultureInfo.InvariantCulture);
}
