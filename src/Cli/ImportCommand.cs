using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Orderwright.Cli.Import;
using Orderwright.Contracts;
using Spectre.Console;

namespace Orderwright.Cli;

/// <summary><c>import</c>: imports the orders of a file, and accounts for every line.</summary>
static class ImportCommand
{
    const string Help =
        """
        Import the orders of a CSV file (or .csv.gz) through the public API, and account for every line.

        An order with an unreadable or invalid line is left out whole, and named.

        Profiles:
          online-retail  UCI "Online Retail": InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice,
                         CustomerID, Country. Products, opening stock, customers and their credits are derived from
                         the file; some SKUs and some customers get less than the file needs.
          general        Columns order, customer, sku, quantity; optional: unit_price (such as 2.55; default: the
                         catalogue's), currency, payment (a sandbox token; default: the customer's balance), name,
                         date, country. Products, stock and credits must exist, unless --derive creates them.

        A file can be imported again after an interruption or by mistake: completed operations are detected and not
        repeated. Requests are retried while a server is unavailable, until --give-up minutes pass without progress.

        Exit codes: 0 every order is placed; 3 some orders are left out or differ from orders placed earlier;
        7 nothing of the file is readable; 4 the server is unreachable; 5 no progress for --give-up minutes; 2 wrong usage.
        """;

    // Long enough for a server that is restarting, short enough to report a wrong address soon.
    static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(15);

    sealed record Settings(
        string File, IImportProfile Profile, CsvOptions Csv, Openings Openings, int InFlight, int GiveUpMinutes,
        string? Report, bool DryRun);

    public static Command Create()
    {
        var file = new Argument<string>("file")
        {
            Description = "CSV file with a heading, in UTF-8 unless --encoding says otherwise; optionally gzipped.",
        };
        var profile = new Option<string>("--profile")
        {
            Description = "Format of the file.",
            DefaultValueFactory = _ => "general",
        };
        profile.AcceptOnlyFromAmong("online-retail", "general");
        var currency = new Option<string>("--currency")
        {
            Description = "Currency of lines without one (profile general).",
            DefaultValueFactory = _ => "EUR",
        };
        currency.Validators.Add(result =>
        {
            if (!Currencies.IsKnown(result.GetValueOrDefault<string>()))
                result.AddError("--currency must be an ISO 4217 code, such as EUR.");
        });
        var encoding = new Option<string?>("--encoding")
        {
            Description = "Encoding of the file, such as windows-1252; by default UTF-8, or as the byte order mark says.",
        };
        var delimiter = new Option<string?>("--delimiter")
        {
            Description = "Delimiter of the fields: a character, or tab; by default the one that fits the heading.",
        };
        delimiter.Validators.Add(result =>
        {
            if (DelimiterOf(result.GetValueOrDefault<string?>()) is '"' or '\r' or '\n' or '\0')
                result.AddError("--delimiter must be a single character other than a quote, or tab.");
        });
        var mark = new Option<string?>("--decimal")
        {
            Description = "Decimal mark of quantities and prices; needed where a number such as 1,234 has two readings.",
        };
        mark.AcceptOnlyFromAmong("comma", "point");
        var map = new Option<string[]>("--map")
        {
            Description = "Headings of columns with other names, such as order=Name,sku=Lineitem sku.",
        };
        var fillDown = new Option<bool>("--fill-down")
        {
            Description = "Take empty columns of an order from the order's first line (profile general).",
        };
        var derive = new Option<bool>("--derive")
        {
            Description = "Create products, opening stock and credits from the file (profile general).",
        };
        var scarce = CommonOptions.Number(
            "--scarce-every", 12, 0, 1_000_000,
            "With derived stock, one SKU in N opens with only 95 % of the units sold; 0 for none.");
        var shortOf = CommonOptions.Number(
            "--short-every", 20, 0, 1_000_000,
            "With derived credits, one customer in N gets only 90 % of the amount spent; 0 for none.");
        var inFlight = CommonOptions.Number("--in-flight", 64, 1, 1_024, "Maximum number of concurrent orders.");
        var giveUp = CommonOptions.Number("--give-up", 10, 1, 10_000, "Minutes without progress before the import fails.");
        var dryRun = new Option<bool>("--dry-run") { Description = "Check the whole file; nothing is sent to the server." };
        var json = new Option<string?>("--json", "--report")
        {
            Description = "File for the complete report as JSON; without a file, print the report on standard output.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("import", Help)
        {
            file, profile, currency, encoding, delimiter, mark, map, fillDown, derive, scarce, shortOf, inFlight, giveUp, dryRun,
            json,
        };
        command.SetAction((parsed, cancel) =>
        {
            var isRetail = parsed.GetValue(profile) == "online-retail";
            var report = parsed.GetValue(json);
            IImportProfile format = isRetail
                ? new OnlineRetail()
                : new GeneralCsv(
                    parsed.GetValue(currency)!,
                    parsed.GetValue(mark) switch
                    {
                        "comma" => DecimalMark.Comma, "point" => DecimalMark.Point, _ => DecimalMark.Detect,
                    },
                    parsed.GetValue(fillDown));
            return RunAsync(
                new Output(parsed.GetResult(json) is not null && report is null),
                new Settings(
                    parsed.GetValue(file)!, format,
                    new CsvOptions(
                        parsed.GetValue(encoding), DelimiterOf(parsed.GetValue(delimiter)),
                        HeadingsOf(parsed.GetValue(map) ?? [], format)),
                    new Openings(
                        parsed.GetValue(derive) || isRetail, ScarceSkuEvery: parsed.GetValue(scarce),
                        ShortCustomerEvery: parsed.GetValue(shortOf)),
                    parsed.GetValue(inFlight), parsed.GetValue(giveUp), report, parsed.GetValue(dryRun)),
                cancel);
        });
        return command;
    }

    // A NUL stands for a text that is no delimiter.
    static char? DelimiterOf(string? text) => text switch
    {
        null => null,
        "tab" or "\\t" => '\t',
        [var only] => only,
        _ => '\0',
    };

    /// <summary>Reads <c>order=Name,sku=Lineitem sku</c>. A comma belongs to the heading unless a column follows.</summary>
    static Dictionary<string, string> HeadingsOf(IEnumerable<string> texts, IImportProfile profile)
    {
        var columns = profile.RequiredColumns.Concat(profile.OptionalColumns).ToList();
        var headings = new Dictionary<string, string>();
        foreach (var text in texts)
        {
            string? column = null;
            foreach (var part in text.Split(','))
                if (part.Split('=', 2) is [var name, var heading]
                    && columns.Find(each => each.Equals(name.Trim(), StringComparison.OrdinalIgnoreCase)) is { } known)
                {
                    if (!headings.TryAdd(column = known, heading.Trim()))
                        throw new ToolException(Exit.Usage, $"--map names the column {known} twice.");
                }
                else if (column is not null)
                    headings[column] += $",{part}";
                else
                    throw new ToolException(
                        Exit.Usage, $"--map {text} must be COLUMN=HEADING,…; the columns are {string.Join(", ", columns)}.");
        }
        return headings;
    }

    static async Task<int> RunAsync(Output output, Settings settings, CancellationToken cancel)
    {
        if (!File.Exists(settings.File)) throw new ToolException(Exit.Usage, $"The file {settings.File} does not exist.");
        var plan = settings.Profile.Plan(CsvFile.Read(settings.File, settings.Profile, settings.Csv), settings.Openings);
        output.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"Import {plan.Id}: {plan.TotalLines:N0} lines, {plan.Operations.OfType<PlaceOrder>().Count():N0} orders, " +
            $"{plan.LeftOut.Count:N0} left out, {plan.Products.Count:N0} products, {plan.Customers.Count:N0} customers"));

        var report = new ImportReport(plan, settings.DryRun);
        try
        {
            if (!settings.DryRun && plan.Operations.Count > 0) await ExecuteAsync(output, settings, plan, report, cancel);
            report.IsComplete = true;
            report.Show(output);
            return report.ExitCode;
        }
        finally
        {
            if (settings.Report is { } path)
            {
                await using var stream = File.Create(path);
                await using var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
                report.Write(writer);
            }
        }
    }

    static async Task ExecuteAsync(
        Output output, Settings settings, ImportPlan plan, ImportReport report, CancellationToken cancel)
    {
        var patience = new Patience(
            await Server.ConnectAsync(cancel, StartLimit), TimeSpan.FromMinutes(settings.GiveUpMinutes));
        var ledger = new Ledger(patience, plan.Id);
        var clock = TimeProvider.System;
        await ShowProgressAsync(output, report, plan, async onPrepared =>
        {
            var started = clock.GetTimestamp();
            if (plan.Products.Count > 0 || plan.Customers.Count > 0)
                await new Preparation(patience, ledger, plan).RunAsync(onPrepared, cancel);
            report.Preparation = clock.GetElapsedTime(started);
            started = clock.GetTimestamp();
            await new ImportRun(patience, ledger, plan, report).RunAsync(settings.InFlight, cancel);
            report.Duration = clock.GetElapsedTime(started);
        });
    }

    // On standard error, so that the report alone is on standard output: a bar on a terminal, otherwise a line every 10 s.
    static async Task ShowProgressAsync(
        Output output, ImportReport report, ImportPlan plan, Func<Action<int, int>, Task> run)
    {
        var started = TimeProvider.System.GetTimestamp();
        double Rate() => report.Done / Math.Max(
            1, (TimeProvider.System.GetElapsedTime(started) - report.Preparation).TotalSeconds);

        if (!output.IsTerminal || Console.IsErrorRedirected)
        {
            using var timer = new Timer(
                _ => Console.Error.WriteLine(ProgressLine(report.Done, plan.Operations.Count, Rate())), null,
                TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10));
            await run((_, _) => { });
            return;
        }
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        await console.Progress()
            .Columns(
                new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                var preparing = progress.AddTask("products, customers", maxValue: 1);
                var working = progress.AddTask("orders", maxValue: Math.Max(1, plan.Operations.Count));
                using var timer = new Timer(
                    _ =>
                    {
                        working.Value = report.Done;
                        working.Description = $"orders, {Rate():F0}/s";
                    },
                    null, TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(200));
                await run((done, all) => preparing.Value((double)done / all));
                preparing.Value = 1;
                working.Value = working.MaxValue;
            });
    }

    /// <summary>Progress of a long import in one line: count, rate and the time that remains at this rate.</summary>
    internal static string ProgressLine(int done, int all, double perSecond)
    {
        var left = done > 0 ? $", about {TimeSpan.FromSeconds(Math.Ceiling((all - done) / perSecond)):c} left" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{done} of {all} operations, {perSecond:F0}/s{left}");
    }
}
