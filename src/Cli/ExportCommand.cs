using System.CommandLine;
using System.Text;
using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary>
/// <c>export</c>: writes orders, payments or stock movements to a file, page by page. Beside the file stands its position: a run
/// that was interrupted continues there, and drops what the file has beyond it.
/// </summary>
static class ExportCommand
{
    /// <summary>Kind of rows.</summary>
    /// <param name="Service">Service with the rows.</param>
    /// <param name="Path">List of the rows; for movements, of the SKUs.</param>
    /// <param name="Columns">Columns of CSV.</param>
    sealed record Kind(string Service, string Path, string[] Columns);

    static readonly Dictionary<string, Kind> Kinds = new()
    {
        ["orders"] = new(
            ServiceNames.Order, "/orders",
            ["id", "channel", "reference", "customerId", "status", "paymentStatus", "fulfilmentStatus", "currency", "total",
            "createdAt", "updatedAt", "lines", "adjustments", "reason", "metadata"]),
        ["payments"] = new(
            ServiceNames.Customer, "/payments",
            ["orderId", "customerId", "provider", "currency", "amount", "state", "status", "authorized", "captured", "refunded",
            "voided", "reference", "createdAt", "updatedAt"]),
        ["movements"] = new(
            ServiceNames.Stock, "/products",
            ["seq", "sku", "orderId", "kind", "onHandDelta", "allocatedDelta", "at", "note", "actor"]),
    };

    /// <summary>Position of an export, beside its file.</summary>
    /// <param name="Rows">Kind and format of the rows.</param>
    /// <param name="Length">Bytes of the file that are complete.</param>
    /// <param name="Count">Rows so far.</param>
    /// <param name="Cursor">Cursor of the next page; null at the start of the list, and after the end of a product's.</param>
    /// <param name="Sku">Latest product whose movements are written; null for none.</param>
    sealed record Position(string Rows, long Length, long Count, string? Cursor, string? Sku);

    public static Command Create()
    {
        var kind = new Argument<string>("kind")
        {
            Description = "Rows to export: orders, payments, or movements of the stock of all products.",
        };
        kind.AcceptOnlyFromAmong([.. Kinds.Keys]);
        var file = new Argument<string>("file") { Description = "File to write. An interrupted export continues in its file." };
        var format = new Option<string>("--format")
        {
            Description = "Format of the rows: ndjson, one JSON object per line as the API has it, or csv.",
            DefaultValueFactory = _ => "ndjson",
        };
        format.AcceptOnlyFromAmong("ndjson", "csv");
        var command = new Command(
            "export", "Write orders, payments or stock movements to a file; the same command continues an interrupted export.")
        {
            kind, file, format,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var client = await Server.ConnectAsync(cancel);
            var export = new Export(client, parsed.GetValue(kind)!, parsed.GetValue(format)!, parsed.GetValue(file)!);
            Console.Error.WriteLine($"{await export.RunAsync(cancel)} rows are in {parsed.GetValue(file)}.");
            return Exit.Ok;
        });
        return command;
    }

    sealed class Export(ApiClient client, string name, string format, string path)
    {
        readonly Kind kind = Kinds[name];
        readonly bool isCsv = format == "csv";
        readonly string rows = $"{name} as {format}";

        string PositionPath => path + ".position";

        /// <summary>Writes the rows that are missing; returns the number of rows in the file.</summary>
        public async Task<long> RunAsync(CancellationToken cancel)
        {
            var at = await StartAsync(cancel);
            await using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
            file.SetLength(at.Length);
            file.Position = at.Length;
            if (at.Length == 0)
            {
                await SaveAsync(at, cancel);
                if (isCsv) await WriteAsync(file, Csv(kind.Columns), cancel);
            }
            at = kind.Path == "/products"
                ? await MovementsAsync(file, at, cancel)
                : await ListAsync(file, kind.Path, at, cancel);
            File.Delete(PositionPath);
            return at.Count;
        }

        async Task<Position> StartAsync(CancellationToken cancel)
        {
            if (File.Exists(PositionPath))
            {
                var at = JsonSerializer.Deserialize<Position>(await File.ReadAllTextAsync(PositionPath, cancel))!;
                return at.Rows == rows
                    ? at
                    : throw new ToolException(Exit.Usage, $"{path} is an interrupted export of {at.Rows}. Name another file.");
            }
            return !File.Exists(path)
                ? new(rows, 0, 0, null, null)
                : throw new ToolException(Exit.Usage, $"{path} exists and is complete. Name another file, or remove this one.");
        }

        // Product after product, in the order of their SKUs.
        async Task<Position> MovementsAsync(FileStream file, Position at, CancellationToken cancel)
        {
            await foreach (var product in client.ListAsync(kind.Service, kind.Path, cancel))
            {
                var sku = product.Text("sku");
                var order = at.Sku is null ? 1 : string.CompareOrdinal(sku, at.Sku);
                if (order < 0 || (order == 0 && at.Cursor is null)) continue;
                at = await ListAsync(
                    file, $"/stock/{Uri.EscapeDataString(sku)}/movements", order == 0 ? at : at with { Sku = sku, Cursor = null },
                    cancel);
                await SaveAsync(at, cancel);
            }
            return at;
        }

        async Task<Position> ListAsync(FileStream file, string list, Position at, CancellationToken cancel)
        {
            do
            {
                var page = (await client.GetAsync(
                    kind.Service, $"{list}?limit=200{(at.Cursor is null ? "" : $"&cursor={at.Cursor}")}", cancel)).OrThrow();
                var count = 0;
                foreach (var item in page.Items)
                {
                    await WriteAsync(
                        file,
                        isCsv ? Csv(kind.Columns.Select(column => item.TextOrNull(column) ?? "")) : item.GetRawText(),
                        cancel);
                    count++;
                }
                await file.FlushAsync(cancel);
                file.Flush(flushToDisk: true);
                at = at with { Length = file.Position, Count = at.Count + count, Cursor = page.NextCursor };
                // Without a cursor the list is over: after an interruption here, the last page is read again into the same place.
                if (at.Cursor is not null) await SaveAsync(at, cancel);
            }
            while (at.Cursor is not null);
            return at;
        }

        // Replaced at once, so that an interruption leaves the former position.
        async Task SaveAsync(Position at, CancellationToken cancel)
        {
            await File.WriteAllTextAsync(PositionPath + ".new", JsonSerializer.Serialize(at), cancel);
            File.Move(PositionPath + ".new", PositionPath, overwrite: true);
        }

        static async Task WriteAsync(FileStream file, string line, CancellationToken cancel) =>
            await file.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), cancel);

        static string Csv(IEnumerable<string> cells) => string.Join(',', cells.Select(Quoted));

        // RFC 4180; text that a spreadsheet would run as a formula stays text.
        static string Quoted(string cell)
        {
            if (cell.Length > 0 && cell[0] is '=' or '+' or '@' or '\t' or '\r') cell = "'" + cell;
            return cell.AsSpan().IndexOfAny("\",\r\n") < 0 ? cell : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        }
    }
}
