using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Orderwright.Cli.Import;
using Orderwright.Contracts;
using Spectre.Console;

namespace Orderwright.Cli;

/// <summary><c>import</c>: brings the orders of a file in, and accounts for every line of it.</summary>
static class ImportCommand
{
    const string Help =
        """
        Bring the orders of a CSV file (or .csv.gz) in through the public API, and account for every line.

        Profiles:
          online-retail  UCI "Online Retail": InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice,
                         CustomerID, Country. Products, opening stock (what is sold, less a share for some SKUs),
                         customers and their credits (less than they spend, for some) are made from it.
          general        columns order, customer, sku, quantity; if there: unit_price (2.55; else the catalogue's),
                         currency, payment (a sandbox token; else the customer's balance), name, date, country.
                         Products, stock and credits are the server's, unless --derive makes them as above.

        The same file may be imported again, after an interruption or by mistake: what is done is found and not done
        twice. It goes on trying while a server is away, until nothing has moved for --give-up minutes.
        """;

    // A server that is being started again is waited for; one that never was is told of soon.
    static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(15);

    sealed record Settings(
        string File, string Profile, string Currency, bool Derive, int InFlight, int GiveUpMinutes, string? Report);

    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "CSV with a heading, UTF-8, a record a line; gzipped or not." };
        var profile = new Option<string>("--profile")
        {
            Description = "online-retail or general.",
            DefaultValueFactory = _ => "general",
        };
        profile.AcceptOnlyFromAmong("online-retail", "general");
        var currency = new Option<string>("--currency")
        {
            Description = "general: of lines that name none.",
            DefaultValueFactory = _ => "EUR",
        };
        currency.Validators.Add(result =>
        {
            if (!Currencies.IsKnown(result.GetValueOrDefault<string>()))
                result.AddError("--currency must be one of ISO 4217, such as EUR.");
        });
        var derive = new Option<bool>("--derive")
        {
            Description = "general: make products, opening stock and credits from the file.",
        };
        var scarce = Number("--scarce-every", 12, 0, 1_000_000, "One SKU in so many opens with 95 % of what is sold; 0: none.");
        var shortOf = Number(
            "--short-every", 20, 0, 1_000_000, "One customer in so many is given 90 % of what they spend; 0: none.");
        var inFlight = Number("--in-flight", 64, 1, 1_024, "Orders under way at once.");
        var giveUp = Number("--give-up", 10, 1, 10_000, "Minutes without any progress before giving up.");
        var report = new Option<string?>("--report") { Description = "Also write the report to this file, as JSON." };
        var json = Output.JsonOption();
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
        if (!File.Exists(settings.File)) throw new ToolException(Exit.Usage, $"There is no file {settings.File}.");
        IImportProfile profile = settings.Profile == "online-retail" ? new OnlineRetail() : new GeneralCsv(settings.Currency);
        var openings = new Openings(
            settings.Derive || profile is OnlineRetail, ScarceSkuEvery: scarceEvery, ShortCustomerEvery: shortEvery);
        var plan = profile.Plan(await CsvFile.ReadAsync(settings.File, profile, cancel), openings);
        output.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"Import {plan.Id}: {plan.TotalLines:N0} lines, {plan.Operations.OfType<PlaceOrder>().Count():N0} orders, " +
            $"{plan.Products.Count:N0} products, {plan.Customers.Count:N0} customers"));

        var limit = TimeSpan.FromMinutes(settings.GiveUpMinutes);
        using var api = await Api.ConnectAsync(cancel, StartLimit);
        var patience = new Patience(api, limit);
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

    // A bar on a terminal; else, as it may take minutes, a line on standard error now and then.
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

    static Option<int> Number(string name, int value, int least, int most, string description)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is var given && (given < least || given > most))
                result.AddError($"{name} must be a whole number from {least} to {most}.");
        });
        return option;
    }
}
