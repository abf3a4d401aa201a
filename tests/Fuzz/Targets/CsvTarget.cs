using System.Globalization;
using System.Text;
using Orderwright.Cli;
using Orderwright.Cli.Import;

namespace Orderwright.Fuzz.Targets;

/// <summary>
/// Reads a file from its bytes to the plan. The first byte chooses the options, the others are the file. Promises: a refusal of
/// the file is a <see cref="ToolException"/>, every line has an outcome, no order is both placed and left out, and the lines of
/// a file that was read are the same when written and read again.
/// </summary>
static class CsvTarget
{
    static readonly string?[] Encodings = [null, "windows-1252", "utf-16", "shift_jis"];

    public static void Check(byte[] input)
    {
        if (input.Length == 0) return;
        var choice = input[0] - '0';
        var retail = (choice & 32) != 0;
        IImportProfile profile = retail
            ? new OnlineRetail()
            : new GeneralCsv("EUR", (DecimalMark)((choice & 3) % 3), fillDown: (choice & 4) != 0);
        var options = new CsvOptions(Encodings[(choice >> 3) & 3]);
        SourceFile file;
        try
        {
            file = CsvFile.Read("file", () => new MemoryStream(input, 1, input.Length - 1), profile, options);
        }
        catch (ToolException)
        {
            return;
        }
        var plan = profile.Plan(file, new Openings(Derive: retail || (choice & 8) != 0));
        FuzzTarget.Require(plan.LinesUnaccountedFor == 0, $"{plan.LinesUnaccountedFor} lines without an outcome");
        var placed = plan.Operations.OfType<PlaceOrder>().Select(order => order.Reference).ToList();
        FuzzTarget.Require(placed.Distinct().Count() == placed.Count, "an order is placed twice");
        FuzzTarget.Require(
            !placed.Intersect(plan.LeftOut.Select(order => order.Reference)).Any(), "an order is left out and placed");
        if (!retail) CheckWrittenAgain(file);
    }

    static void CheckWrittenAgain(SourceFile file)
    {
        var text = new StringBuilder("order,customer,sku,quantity,unit_price,currency,payment,name,date,country\n");
        foreach (var line in file.Lines)
            text.AppendJoin(',', new[]
            {
                line.Order, line.Customer, line.Sku, line.Quantity.ToString(CultureInfo.InvariantCulture),
                line.UnitPrice?.ToString(CultureInfo.InvariantCulture) ?? "", line.Currency, line.Payment, line.Name, line.Date,
                line.Country,
            }.Select(field => $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"")).Append('\n');
        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        var again = CsvFile.Read("again", () => new MemoryStream(bytes), new GeneralCsv("EUR", DecimalMark.Point));
        FuzzTarget.Require(
            again.Bad.Count == 0 && again.Lines.Count == file.Lines.Count
            && again.Lines.Zip(file.Lines).All(pair => pair.First with { Number = pair.Second.Number } == pair.Second),
            "lines change when they are written and read again");
    }
}
