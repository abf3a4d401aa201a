using System.Text.Json;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Sqlite;

/// <summary>
/// Values in SQLite's form. A set of rows becomes a JSON array of arrays, with a cell per column: a single parameter for any
/// number of rows, and a single prepared statement.
/// </summary>
static class SqliteValues
{
    public static object Scalar(SqlScalar scalar) => scalar.Value switch
    {
        null => DBNull.Value,
        Guid uuid => uuid.ToByteArray(bigEndian: true),
        bool yes => yes ? 1L : 0L,
        DateTimeOffset time => time.ToUnixTimeMilliseconds(),
        var value => value,
    };

    public static string Rows(SqlArgs args) => JsonText.Write(args, static (json, args) =>
    {
        json.WriteStartArray();
        for (var row = 0; row < args.RowCount; row++)
        {
            json.WriteStartArray();
            foreach (var column in args.Columns) WriteCell(json, column.Values, row);
            json.WriteEndArray();
        }
        json.WriteEndArray();
    });

    static void WriteCell(Utf8JsonWriter json, Array column, int row)
    {
        switch (column)
        {
            case Guid[] uuids: WriteUuid(json, uuids[row]); break;
            case Guid?[] uuids when uuids[row] is { } uuid: WriteUuid(json, uuid); break;
            case string?[] texts when texts[row] is { } text: json.WriteStringValue(text); break;
            case long[] numbers: json.WriteNumberValue(numbers[row]); break;
            case long?[] numbers when numbers[row] is { } number: json.WriteNumberValue(number); break;
            case bool[] flags: json.WriteNumberValue(flags[row] ? 1 : 0); break;
            case DateTimeOffset[] times: json.WriteNumberValue(times[row].ToUnixTimeMilliseconds()); break;
            case DateTimeOffset?[] times when times[row] is { } time:
                json.WriteNumberValue(time.ToUnixTimeMilliseconds());
                break;
            case byte[]?[] blobs when blobs[row] is { } blob: json.WriteStringValue(Convert.ToHexStringLower(blob)); break;
            case Guid?[] or string?[] or long?[] or DateTimeOffset?[] or byte[]?[]: json.WriteNullValue(); break;
            default: throw new ArgumentException($"Columns of type {column.GetType().Name} are not supported.", nameof(column));
        }
    }

    static void WriteUuid(Utf8JsonWriter json, Guid uuid)
    {
        // "N" is in big-endian order: the hex of the blob.
        Span<byte> hex = stackalloc byte[32];
        uuid.TryFormat(hex, out _, "N");
        json.WriteStringValue(hex);
    }
}
