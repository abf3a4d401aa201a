using System.Text;
using Microsoft.Data.Sqlite;
using Orderwright.Runtime.Database;
using SQLitePCL;

namespace Orderwright.Storage.Sqlite;

/// <summary>
/// Statement about a single row, which names columns of a set and runs once per row. Values are bound directly: as JSON, a
/// wide row would cost several times its insert (docs/adr/0024).
/// </summary>
sealed class SqliteRowStatement : IDisposable
{
    readonly SqlQuery query;
    readonly sqlite3 database;
    readonly sqlite3_stmt statement;
    readonly string[] names;
    byte[] utf8 = new byte[256];

    public SqliteRowStatement(SqlQuery query, SqliteConnection connection)
    {
        this.query = query;
        database = connection.Handle!;
        Check(raw.sqlite3_prepare_v3(database, query.Text, raw.SQLITE_PREPARE_PERSISTENT, out statement));
        names = new string[raw.sqlite3_bind_parameter_count(statement)];
        for (var i = 0; i < names.Length; i++)
            names[i] = raw.sqlite3_bind_parameter_name(statement, i + 1).utf8_to_string()[1..];
    }

    /// <summary>Runs the statement for all rows; returns the number of changed rows.</summary>
    public int Execute(SqlArgs args, CancellationToken limit)
    {
        var changed = 0;
        Run(args, (_, rows) => changed += rows, limit);
        return changed;
    }

    /// <summary>Runs the statement for all rows; returns the keys of rows that changed anything.</summary>
    public HashSet<Guid> Write(SqlArgs args, string key, CancellationToken limit)
    {
        var keys = (Guid[])(args.Column(key) ?? throw SqlNames.NotGiven(query, key)).Values;
        var written = new HashSet<Guid>(keys.Length);
        Run(
            args,
            (row, changed) =>
            {
                if (changed > 0) written.Add(keys[row]);
            },
            limit);
        return written;
    }

    public void Dispose() => statement.Dispose();

    // Calls ran(row, changes) after each row of the set.
    void Run(SqlArgs args, Action<int, int> ran, CancellationToken limit)
    {
        var columns = Bind(args);
        try
        {
            for (var row = 0; row < args.RowCount; row++)
            {
                limit.ThrowIfCancellationRequested();
                foreach (var (parameter, values) in columns) BindCell(parameter, values, row);
                var step = raw.sqlite3_step(statement);
                if (step != raw.SQLITE_DONE) Check(step);
                ran(row, raw.sqlite3_changes(database));
                Check(raw.sqlite3_reset(statement));
            }
        }
        finally
        {
            // Returns the last step's error again; ignored.
            raw.sqlite3_reset(statement);
            raw.sqlite3_clear_bindings(statement);
        }
    }

    // Scalars stay bound for all rows; the columns to bind per row are returned.
    List<(int Parameter, Array Values)> Bind(SqlArgs args)
    {
        var columns = new List<(int, Array)>(names.Length);
        for (var i = 0; i < names.Length; i++)
            if (args.Column(names[i]) is { } column) columns.Add((i + 1, column.Values));
            else BindScalar(i + 1, SqliteValues.Scalar(args.Scalar(names[i]) ?? throw SqlNames.NotGiven(query, names[i])));
        return columns;
    }

    void BindScalar(int parameter, object value)
    {
        switch (value)
        {
            case long number: BindNumber(parameter, number); break;
            case string text: BindText(parameter, text); break;
            case byte[] bytes: BindBytes(parameter, bytes); break;
            case DBNull: BindNull(parameter); break;
            default: throw new ArgumentException($"Values of type {value.GetType().Name} are not supported.", nameof(value));
        }
    }

    void BindCell(int parameter, Array column, int row)
    {
        switch (column)
        {
            case string?[] texts when texts[row] is { } text: BindText(parameter, text); break;
            case long[] numbers: BindNumber(parameter, numbers[row]); break;
            case Guid[] uuids: BindUuid(parameter, uuids[row]); break;
            case DateTimeOffset[] times: BindNumber(parameter, times[row].ToUnixTimeMilliseconds()); break;
            case bool[] flags: BindNumber(parameter, flags[row] ? 1 : 0); break;
            case long?[] numbers when numbers[row] is { } number: BindNumber(parameter, number); break;
            case Guid?[] uuids when uuids[row] is { } uuid: BindUuid(parameter, uuid); break;
            case DateTimeOffset?[] times when times[row] is { } time: BindNumber(parameter, time.ToUnixTimeMilliseconds()); break;
            case byte[]?[] blobs when blobs[row] is { } blob: BindBytes(parameter, blob); break;
            case string?[] or long?[] or Guid?[] or DateTimeOffset?[] or byte[]?[]: BindNull(parameter); break;
            default: throw new ArgumentException($"Columns of type {column.GetType().Name} are not supported.", nameof(column));
        }
    }

    void BindNull(int parameter) => Check(raw.sqlite3_bind_null(statement, parameter));

    void BindNumber(int parameter, long number) => Check(raw.sqlite3_bind_int64(statement, parameter, number));

    void BindUuid(int parameter, Guid uuid)
    {
        Span<byte> bytes = stackalloc byte[16];
        uuid.TryWriteBytes(bytes, bigEndian: true, out _);
        Check(raw.sqlite3_bind_blob(statement, parameter, bytes));
    }

    void BindBytes(int parameter, byte[] bytes) => Check(raw.sqlite3_bind_blob(statement, parameter, bytes));

    void BindText(int parameter, string text)
    {
        if (utf8.Length < Encoding.UTF8.GetMaxByteCount(text.Length)) utf8 = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        Check(raw.sqlite3_bind_text(statement, parameter, utf8.AsSpan(0, Encoding.UTF8.GetBytes(text, utf8))));
    }

    void Check(int code) => SqliteException.ThrowExceptionForRC(code, database);
}
