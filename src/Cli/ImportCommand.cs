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

        Profiles:
          online-retail  UCI "Online Retail": InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice,
                         CustomerID, Country. Products, opening stock, customers and their credits are derived from
                         the file; some SKUs and some customers get less than the file needs.
          general        Columns order, customer, sku, quantity; optional: unit_price (such as 2.55; default: the
                         catalogue's), currency, payment (a sandbox token; default: the customer's balance), name,
                         date, country. Products, stock and credits must exist, unless --derive creates them.

        A file can be imported again after an interruption or by mistake: completed operations are detected and not
        repeated. Requests are retried while a server is unavailable, until --give-up minutes pass without progress.
        """;

    // Long enough for a server that is restarting, short enough to report a wrong address soon.
    static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(15);

    sealed record Settings(
        string File, string Profile, string Currency, bool Derive, int InFlight, int GiveUpMinutes, string? Report);

    public static Command Create()
    {
        var file = new Argument<string>("file")
        {
            Description = "CSV file in UTF-8 with a heading and one record per line, optionally gzipped.",
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
        var report = new Option<string?>("--report") { Description = "File for the complete report, as JSON." };
        var json = CommonOptions.Json();
        var command = new Command("import", Help)
        {
            file, profile, currency, derive, scarce, shortOf, inFlight, giveUp, report, json,
        };
        command.SetAction((parsed, cancel) => RunAsync(
            new Output(parsed.GetValue(json)),
            new Settings(
                parsed.GetValue(file)!, parsed.GetValue(profile)!, parsed.GetValue(currency)!, parsed.GetValue(derive),
                parsed.GetValue(inFlight), parsed.GetValue(giveUp), parsed.GetValue(report)),
            parsed.GetValue(scarce), parsed.GetValue(shortOf), cancel));
        return command;
    }

    static async Task<int> RunAsync(Output output, Settings settings, int scarceEvery, int shortEvery, CancellationToken cancel)
    {
        if (!File.Exists(settings.File)) throw new ToolException(Exit.Usage, $"The file {settings.File} does not exist.");
        IImportProfile profile = settings.Profile == "online-retail" ? new OnlineRetail() : new GeneralCsv(settings.Currency);
        var openings = new Openings(
            settings.Derive || profile is OnlineRetail, ScarceSkuEvery: scarceEvery, ShortCustomerEvery: shortEvery);
        var plan = profile.Plan(await CsvFile.ReadAsync(settings.File, profile, cancel), openings);
        output.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"Import {plan.Id}: {plan.TotalLines:N0} lines, {plan.Operations.OfType<PlaceOrder>().Count():N0} orders, " +
            $"{plan.Products.Count:N0} products, {plan.Customers.Count:N0} customers"));

        var limit = TimeSpan.FromMinutes(settings.GiveUpMinutes);
        var patience = new Patience(await Server.ConnectAsync(cancel, StartLimit), limit);
        var ledger = new Ledger(patience, plan.Id);
        var report = new ImportReport(plan);
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

        report.Show(output);
        if (settings.Report is { } path)
        {
            await using var stream = File.Create(path);
            await using var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
            report.Write(writer);
        }
        return report.AddsUp ? Exit.Ok : Exit.Failed;
    }

    // A progress bar on a terminal; otherwise a line on standard error every 10 s, as an import can take minutes.
    static async Task ShowProgressAsync(
        Output output, ImportReport report, ImportPlan plan, Func<Action<int, int>, Task> run)
    {
        if (!output.IsTerminal)
        {
            using var timer = new Timer(
                _ => Console.Error.WriteLine($"{report.Done} of {plan.Operations.Count} operations"), null,
                TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10));
            await run((_, _) => { });
            return;
        }
        await AnsiConsole.Progress()
            .Columns(
                new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                var preparing = progress.AddTask("products, customers", maxValue: 1);
                var working = progress.AddTask("orders", maxValue: Math.Max(1, plan.Operations.Count));
                var started = TimeProvider.System.GetTimestamp();
                using var timer = new Timer(
                    _ =>
                    {
                        working.Value = report.Done;
                        var elapsed = TimeProvider.System.GetElapsedTime(started) - report.Preparation;
                        working.Description = $"orders, {report.OrdersDone / Math.Max(1, elapsed.TotalSeconds):F0}/s";
                    },
                    null, TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(200));
                await run((done, all) => preparing.Value((double)done / all));
                preparing.Value = 1;
                working.Value = working.MaxValue;
            });
    }
}
