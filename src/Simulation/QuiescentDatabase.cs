using Orderwright.Runtime.Database;
using Orderwright.Verification;

namespace Orderwright.Simulation;

/// <summary>
/// A database at rest: rows read one query after another need not come from one snapshot. Charges come from the
/// gateway's own record.
/// </summary>
sealed class QuiescentDatabase(Arena arena, string service, IEnumerable<Charge> charges) : IDatabase, IQueries
{
    public string Engine => arena.Databases[service].Engine;

    public Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancel) =>
        throw new NotSupportedException();

    public Task<DatabaseState> StateAsync(CancellationToken cancel) => throw new NotSupportedException();

    public Task<T> WriteAsync<T>(Func<ITransaction, Task<T>> work, CancellationToken cancel) =>
        throw new NotSupportedException();

    public Task<T> ReadAsync<T>(Func<IQueries, Task<T>> read, CancellationToken cancel) => read(this);

    public Task<List<T>> QueryAsync<T>(SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
        query.Name == "charges"
            ? Task.FromResult(charges.Select(charge => charge.Row())
                .OrderBy(row => row.OrderId.ToString("N"), StringComparer.Ordinal)
                .Select(row => map(new ChargeAsRow(row))).ToList())
            : arena.ReadAsync(service, query, args, map);

    public async IAsyncEnumerable<T> StreamAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel = default)
    {
        foreach (var row in await QueryAsync(query, args, map, cancel)) yield return row;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

sealed class ChargeAsRow(ChargeRow charge) : IRow
{
    public Guid Uuid(string column) => charge.OrderId;

    public string Text(string column) => column == "id" ? charge.Reference : charge.Currency;

    public long BigInt(string column) => column switch
    {
        "authorized" => charge.Authorized,
        "captured" => charge.Captured,
        "refunded" => charge.Refunded,
        _ => throw Unknown(column),
    };

    public bool Bool(string column) => charge.Voided;

    public Guid? UuidOrNull(string column) => throw Unknown(column);

    public string? TextOrNull(string column) => throw Unknown(column);

    public int Int(string column) => throw Unknown(column);

    public long? BigIntOrNull(string column) => throw Unknown(column);

    public DateTimeOffset Time(string column) => throw Unknown(column);

    public DateTimeOffset? TimeOrNull(string column) => throw Unknown(column);

    public byte[] Bytes(string column) => throw Unknown(column);

    public byte[]? BytesOrNull(string column) => throw Unknown(column);

    static NotSupportedException Unknown(string column) => new($"A charge has no column '{column}'.");
}
